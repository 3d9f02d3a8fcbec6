# Later versions of the Flask shop, for e2e/promises.
FROM flask-shop:1.0.0 AS second
USER 0
RUN sed -i 's/("Teapot", 24.5)/("Teapot", 24.5), ("Samovar", 80.0)/' shop.py \
  && sed -i 's/shop\.css/shop.2.css/' templates/index.html \
  && mv static/shop.css static/shop.2.css
USER 10001:10001

FROM flask-shop:1.0.0 AS crashing
USER 0
RUN echo 'raise RuntimeError("the shop has burnt down")' >> shop.py
USER 10001:10001
