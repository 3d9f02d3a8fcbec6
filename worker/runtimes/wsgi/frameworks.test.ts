// Flask and Django as people write them, on real interpreters.
import { expect, inject, onTestFinished, test } from 'vitest';
import { Trial, type TrialOptions, type TrialProcess } from './trial.ts';

const FLASK = `
import io
from flask import Flask, Response, request, send_file, session, stream_with_context, url_for

app = Flask(__name__)
app.secret_key = "test"


@app.get("/")
def hello():
    return "hello " + request.args.get("name", "world")


@app.post("/form")
def form():
    return {"name": request.form["name"], "file": request.files["file"].read().decode(), "length": request.content_length}


@app.post("/json")
def take_json():
    return request.get_json()


@app.get("/stream")
def stream():
    return Response(stream_with_context(f"{n} " for n in range(3)), mimetype="text/plain")


@app.get("/file")
def file():
    return send_file(io.BytesIO(b"0123456789" * 10000), mimetype="text/plain", download_name="digits.txt", conditional=True)


@app.get("/self")
def own():
    return send_file(__file__)


@app.get("/count")
def count():
    session["n"] = session.get("n", 0) + 1
    return str(session["n"])


@app.get("/url/<path:rest>")
def url(rest):
    return url_for("url", rest=rest, _external=True) + " " + rest


@app.get("/boom")
def boom():
    raise ValueError("broken in a view")
`;

const DJANGO = `
import sys
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

settings.configure(
    DEBUG=@DEBUG@, SECRET_KEY="test", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)


def hello(request):
    return HttpResponse("hello " + request.GET.get("name", "world"))


def form(request):
    return JsonResponse({"name": request.POST["name"], "file": request.FILES["file"].read().decode()})


def stream(request):
    return StreamingHttpResponse(f"{n} " for n in range(3))


def own(request):
    return FileResponse(open(__file__, "rb"))


def boom(request):
    raise ValueError("broken in a view")


urlpatterns = [path("", hello), path("form", form), path("stream", stream), path("self", own), path("boom", boom)]
application = get_wsgi_application()
`;

async function boot(options: Partial<TrialOptions> & { app: string }): Promise<{ app: TrialProcess; trial: Trial }> {
  const trial = new Trial({ python: inject('python'), ...options });
  onTestFinished(() => trial.close());
  return { app: await trial.start().ready(), trial };
}

const flask = (options: Partial<TrialOptions> = {}) => boot({ app: 'shop', files: { 'shop.py': FLASK }, ...options });
const django = (debug: 'True' | 'False', options: Partial<TrialOptions> = {}) =>
  boot({ app: 'site_wsgi', files: { 'site_wsgi.py': DJANGO.replace('@DEBUG@', debug) }, ...options });

const multipart = Buffer.from(
  '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ncontent\r\n--b--\r\n',
);
const formHeaders = ['Host', 'a', 'Content-Type', 'multipart/form-data; boundary=b'];

test('Flask: pages, forms, JSON, streams, files, ranges, sessions and addresses', async () => {
  const { app } = await flask();
  const hello = await app.ask({ target: '/?name=Ada' });
  expect(hello).toMatchObject({ status: 200, reason: 'OK', text: 'hello Ada', failed: '' });
  expect(hello.all('content-length')).toEqual(['9']);

  const posted = await app.ask({ target: '/form', method: 'POST', body: multipart, headers: formHeaders });
  expect(posted.json).toEqual({ name: 'Ada', file: 'content', length: multipart.length });
  const chunked = [...formHeaders, 'Transfer-Encoding', 'chunked'];
  expect((await app.ask({ target: '/form', method: 'POST', body: multipart, headers: chunked })).json['file']).toBe(
    'content',
  );

  const jsonHeaders = ['Host', 'a', 'Content-Type', 'application/json'];
  const echoed = await app.ask({ target: '/json', method: 'POST', body: Buffer.from('{"a":1}'), headers: jsonHeaders });
  expect(echoed.json).toEqual({ a: 1 });

  expect((await app.ask({ target: '/stream' })).text).toBe('0 1 2 ');
  expect((await app.ask({ target: '/self' })).text).toBe(FLASK);
  expect((await app.ask({ target: '/file' })).body).toHaveLength(100_000);
  const part = await app.ask({ target: '/file', headers: ['Host', 'a', 'Range', 'bytes=10-19'] });
  expect(part).toMatchObject({ status: 206, text: '0123456789' });

  const first = await app.ask({ target: '/count' });
  const cookie = first.all('set-cookie')[0]?.split(';')[0] ?? '';
  expect((await app.ask({ target: '/count', headers: ['Host', 'a', 'Cookie', cookie] })).text).toBe('2');

  const url = await app.ask({
    target: '/url/caf%C3%A9/%20x',
    scheme: 'https',
    host: 'shop.example',
    headers: ['Host', 'shop.example'],
  });
  expect(url.body.toString()).toBe('https://shop.example/url/caf%C3%A9/%20x café/ x');
});

test('Flask: HEAD, OPTIONS, 404, 405, a redirect and an error', async () => {
  const { app, trial } = await flask();
  const head = await app.ask({ method: 'HEAD' });
  expect(head).toMatchObject({ status: 200, text: '' });
  expect(head.all('content-length')).toEqual(['11']);
  const options = await app.ask({ method: 'OPTIONS' });
  expect(options.all('allow')[0]?.split(', ').sort()).toEqual(['GET', 'HEAD', 'OPTIONS']);
  expect((await app.ask({ method: 'OPTIONS', target: '*' })).status).toBeLessThan(500);
  expect((await app.ask({ target: '/nowhere' })).status).toBe(404);
  expect((await app.ask({ method: 'POST' })).status).toBe(405);
  expect((await app.ask({ target: '/boom' })).status).toBe(500);
  expect(trial.err).toContain('ValueError: broken in a view');
});

test('Flask under a mount point', async () => {
  const { app } = await flask({ env: { SCRIPT_NAME: '/shop/' } });
  expect((await app.ask({ target: '/shop/?name=Ada' })).text).toBe('hello Ada');
  expect((await app.ask({ target: '/shop/url/x' })).text).toBe('http://shop.example:8080/shop/url/x x');
  expect((await app.ask({ target: '/shopping' })).status).toBe(404);
});

test('Flask with several threads', async () => {
  const { app } = await flask({ threads: 4 });
  expect(app.slots).toHaveLength(4);
  expect((await app.ask()).text).toBe('hello world');
});

test('in development Flask’s debug mode shows the traceback page and its PIN', async () => {
  const { app, trial } = await flask({ development: true, env: { FLASK_DEBUG: '1' } });
  const page = await app.ask({ target: '/boom', headers: ['Host', 'localhost'], host: 'localhost' });
  expect(page.status).toBe(500);
  expect(page.text).toContain('Werkzeug Debugger');
  expect(page.text).toContain('broken in a view');
  expect(trial.err).toMatch(/Debugger is active!\n \* Debugger PIN: [0-9-]+\n/);
});

test.each([
  ['development without debug mode', { development: true }],
  ['debug mode without development', { env: { FLASK_DEBUG: '1' } }],
])('%s shows no traceback page', async (_name, options) => {
  const { app } = await flask(options);
  const page = await app.ask({ target: '/boom', headers: ['Host', 'localhost'] });
  expect(page.status).toBe(500);
  expect(page.text).not.toContain('broken in a view');
});

test('Django: pages, forms, streams, files', async () => {
  const { app } = await django('False');
  expect(await app.ask({ target: '/?name=Ada' })).toMatchObject({ status: 200, text: 'hello Ada', failed: '' });
  const posted = await app.ask({ target: '/form', method: 'POST', body: multipart, headers: formHeaders });
  expect(posted.json).toEqual({ name: 'Ada', file: 'content' });
  expect((await app.ask({ target: '/stream' })).text).toBe('0 1 2 ');
  expect((await app.ask({ target: '/self' })).text).toContain('settings.configure');
  expect((await app.ask({ target: '/nowhere' })).status).toBe(404);
  expect((await app.ask({ target: '/boom' })).text).not.toContain('broken in a view');
});

test('Django’s own debug page shows', async () => {
  const { app } = await django('True', { development: true });
  expect((await app.ask({ target: '/boom' })).text).toContain('broken in a view');
});
