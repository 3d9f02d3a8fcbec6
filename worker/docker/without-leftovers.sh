# Read by the Dockerfile after apt-get: lists, logs and caches are of no use in an image, and differ from one build to the next.
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old
find /var/log -type f -delete
