"""A Redis of one's own, to do to it what nobody would do to a shared one."""

import os
import shutil
import signal
import socket
import subprocess
import time

import redis


class RedisServer:
    PROGRAM = shutil.which("redis-server")

    def __init__(self, directory):
        self._directory, self._port = directory, _free_port()
        self.address = f"redis://127.0.0.1:{self._port}/0"
        self.client = redis.Redis(port=self._port, socket_timeout=5)
        self.start()

    def start(self):
        options = {"port": self._port, "bind": "127.0.0.1", "save": "", "dir": self._directory}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._process = subprocess.Popen([self.PROGRAM, *words], stdout=subprocess.DEVNULL)  # noqa: S603
        deadline = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < deadline, "redis-server doesn't start"
            time.sleep(0.02)

    def kill(self):
        self._process.kill()
        self._process.wait(timeout=10)

    def hang(self):
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        os.kill(self._process.pid, signal.SIGCONT)

    def mend(self):
        """Let it be as it was at first, whatever was done to it."""
        if self._process.poll() is None:
            self.go_on()
        else:
            self.start()
        self.client.config_set("maxmemory", 0)
        self.client.config_set("maxmemory-policy", "noeviction")
        self.client.flushall()

    def fill(self):
        """Have no room for anything more."""
        self.client.config_set("maxmemory", "2mb")
        with self.client.pipeline(transaction=False) as pipeline:
            for number in range(1500):
                pipeline.set(f"filling {number}", "x" * 1000)
            pipeline.execute(raise_on_error=False)

    def keep(self):
        """Return all that it holds, for `restore`."""
        return {key: self.client.dump(key) for key in self.client.scan_iter()}

    def restore(self, kept):
        """Forget what came since then."""
        self.client.flushall()
        for key, value in kept.items():
            self.client.restore(key, 60_000, value, replace=True)  # the site may be faster

    def _answers(self):
        try:
            return self.client.ping()
        except redis.ConnectionError:
            return False


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
