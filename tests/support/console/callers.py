"""Who sends what a browser sends, without one."""

from __future__ import annotations

import http.client
import re
from urllib.parse import urlencode, urlsplit


class Caller:
    """What a browser sends, without a browser."""

    def __init__(self, url):
        self.host = urlsplit(url).netloc
        self.cookie = ""

    def send(self, path, form=None, **headers):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        given = {"Origin": f"http://{self.host}", "Cookie": self.cookie, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if form is not None:
            given["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if form is None else "POST", path, None if form is None else urlencode(form), given)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.getheader("Set-Cookie"):
            self.cookie = answer.getheader("Set-Cookie").split(";")[0]
        connection.close()
        return answer, text

    def sign_in(self, token):
        answer, _ = self.send("/sign-in", {"token": token})
        assert answer.status == 303
        return answer

    def csrf(self):
        return re.search(r'name="csrf" value="([^"]+)"', self.send("/account")[1])[1]
