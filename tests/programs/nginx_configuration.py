"""Two workers of nginx, their files, and a way through nginx to itself; in a directory of their own."""

import os

import programs

CONFIGURATION = """
daemon off;
worker_processes 2;
pid {place}/nginx.pid;
error_log {place}/error.log warn;
{user}
events {{ worker_connections 256; }}
http {{
  access_log {place}/access.log;
  client_body_temp_path {place}/body;
  proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi;
  scgi_temp_path {place}/scgi;
  gzip on;
  gzip_min_length 100;
  server {{
    listen 127.0.0.1:{port};
    root {place}/www;
    location /through/ {{ proxy_pass http://127.0.0.1:{port}/; }}
  }}
}}
"""


def prepare(place, port=None):
    os.mkdir(os.path.join(place, "www"))
    os.chmod(place, 0o755)
    with open(os.path.join(place, "www", "page.html"), "wb") as file:
        file.write(b"<p>a page like any other</p>\n" * 300)
    with open(os.path.join(place, "www", "image.bin"), "wb") as file:
        file.write(bytes(i * i % 251 for i in range(700000)))
    port = port or programs.free_port()
    with open(os.path.join(place, "nginx.conf"), "w", encoding="ascii") as file:
        # Workers of root's nginx would be nobody, who may not enter the test's directory.
        file.write(CONFIGURATION.format(place=place, port=port, user="user root;" if os.geteuid() == 0 else ""))
    return port
