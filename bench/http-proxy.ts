// The peer: http-proxy as one tunes it, with a keep-alive agent. Arguments: port, upstream URL.
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

const [port, target = ''] = process.argv.slice(2);
const proxy = httpProxy.createProxyServer({
  target,
  agent: new Agent({ keepAlive: true, maxSockets: 256 }),
  xfwd: true,
});
proxy.on('error', (_error, _request, response) => response.destroy());
createServer((request, response) => proxy.web(request, response)).listen(Number(port), '127.0.0.1');
