import express from 'express';

const app = express();
app.get('/', (_req, res) => {
  res.send('Hello, World!\n');
});

if (process.env.PORT_SOCKET) app.listen(process.env.PORT_SOCKET);
export default app;
