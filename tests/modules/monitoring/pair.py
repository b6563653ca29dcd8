"""The pair of servers on this machine: the real programs, with the files and arguments that the module rendered.

Nothing but addresses is another: those of the servers and of whom they talk to lead to free ports of 127.0.0.1.
"""

import json
import os
import shlex
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml

PORTS = (9090, 9093, 9094)
PROXYLESS = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Listener(ThreadingHTTPServer):
    """Takes the alerts that are posted to it into `alerts`, and is a page that answers."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answers)
        self.alerts = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Answers(BaseHTTPRequestHandler):
    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.alerts += json.loads(text)["alerts"]
        self.do_GET()

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *parts):
        pass


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


class Pair:
    """`files` by their keys, `scripts` and `addresses` by server; `sandbox` is the URL that stands for AWS."""

    def __init__(self, path, files, scripts, addresses, sandbox):
        self.path, self.sandbox, self.listener = path, sandbox, Listener()
        self.at = {(name, port): free_address() for name in addresses for port in PORTS}
        here = f"127.0.0.1:{self.listener.server_port}"
        self.led = {f"{addresses[name]}:{port}": address for (name, port), address in self.at.items()}
        self.led |= {"127.0.0.1:9115": free_address(), "hooks.lab.example.test": here, "shop.lab.example.test": here}
        for name in addresses:
            self._write(name, {key.removeprefix(f"{name}/"): text for key, text in files.items()})
        self.scripts = scripts

    def _write(self, name, files):
        for key, text in files.items():
            place = self.path / name / "etc" / "monitoring" / key
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(self._lead(self._reach(key, text)))
        (self.path / name / "data" / "metrics2").mkdir(parents=True)

    def _lead(self, text):
        for there, here in self.led.items():
            text = text.replace(there, here)
        return text

    def _reach(self, key, text):
        """AWS has no address in the files: where it is asked, the sandbox is."""
        document = yaml.safe_load(text)
        if key == "prometheus.yml":
            for found in (found for job in document["scrape_configs"] for found in job.get("ec2_sd_configs", ())):
                found["endpoint"] = self.sandbox
        elif key == "alertmanager.yml":
            for topic in (topic for receiver in document["receivers"] for topic in receiver["sns_configs"]):
                topic["api_url"] = self.sandbox
        else:
            return text
        return yaml.safe_dump(document)

    def arguments(self, name, program):
        """What the boot script starts a program with."""
        folder = self.path / name
        (folder / "boot.sh").write_text(self.scripts[name])
        env = {**os.environ, "ETC": str(folder / "etc"), "DATA": str(folder / "data")}
        argv = ["bash", "-c", f". {folder}/boot.sh\n{program}_arguments"]
        told = subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=60).stdout
        return shlex.split(self._lead(told))

    def start(self, account):
        """Start both servers' programs (one blackbox exporter: there is one address for both); gives what ends them."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "any",
        }
        running = ExitStack()
        programs = [(name, each) for name in ("recent", "longterm") for each in ("prometheus", "alertmanager")]
        for name, program in [*programs, ("recent", "blackbox_exporter")]:
            command = "prometheus" if program == "prometheus" else f"prometheus-{program.replace('_', '-')}"
            log = running.enter_context((self.path / f"{name}-{program}.log").open("w"))
            argv = [command, *self.arguments(name, program)]
            process = subprocess.Popen(argv, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.path)
            running.callback(process.wait, 20)
            running.callback(process.terminate)
        running.callback(self.listener.server_close)
        running.callback(self.listener.shutdown)
        return running

    def ask(self, name, port, path, **query):
        url = f"http://{self.at[name, port]}{path}?{urllib.parse.urlencode(query)}"
        with PROXYLESS.open(url, timeout=10) as answer:
            return json.load(answer)

    def series(self, name, expression):
        """The labels of what a server's Prometheus has now."""
        return [each["metric"] for each in self.ask(name, 9090, "/api/v1/query", query=expression)["data"]["result"]]

    def logs(self):
        return "\n".join(f"--- {log.name}\n{log.read_text()[-2000:]}" for log in sorted(self.path.glob("*.log")))


def until(happens, limit_s=90):
    """Ask until there is an answer; None when there is none in time."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            if answer := happens():
                return answer
        except OSError:
            pass  # not up yet
        time.sleep(0.2)
    return None
