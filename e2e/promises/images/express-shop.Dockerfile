# Later versions of the Express shop, for e2e/promises.
FROM express-shop:1.0.0 AS second
USER 0
RUN sed -i "s/('Teapot', 24.5)/('Teapot', 24.5), ('Samovar', 80.0)/" server.js \
  && sed -i 's/shop\.css/shop.2.css/' views/index.ejs \
  && mv public/shop.css public/shop.2.css
USER 10001:10001

FROM express-shop:1.0.0 AS crashing
USER 0
RUN echo "throw new Error('the shop has burnt down');" >> server.js
USER 10001:10001
