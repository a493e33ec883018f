"""A running redis-server: its unix socket, its data directory, and redis-cli."""

import os
import re
import signal
import socket

import harness
import programs


class Redis:
    """Arguments and conversation of one redis-server in a data directory, which a second one may take over."""

    def __init__(self, data, *settings):
        self.server = programs.program("redis-server")
        self.cli = programs.program("redis-cli")
        self.data = data
        # Not in the data directory: the path of a socket may not be long.
        self.socket = os.path.join(data, "s")
        self.settings = settings
        os.makedirs(data, exist_ok=True)

    def argv(self):
        return [self.server, "--port", "0", "--unixsocket", self.socket, "--dir", self.data, "--save", "",
                "--enable-debug-command", "yes", *self.settings]

    def wait(self, process):
        programs.wait_for_server(process, socket.AF_UNIX, self.socket)
        harness.wait_until(lambda: self.say("PING") == b"PONG\n", 60, "redis to have read its data")

    def say(self, *words):
        return programs.tool(self.cli, "-s", self.socket, *words)

    def script(self, lines, *flags):
        """The replies to many commands, one a line."""
        return programs.tool(self.cli, "-s", self.socket, *flags, stdin="\n".join(lines).encode() + b"\n")

    def info(self, section, field):
        match = re.search(rb"^%s:([^\r\n]*)" % field.encode(), self.say("INFO", section), re.MULTILINE)
        harness.check(match, f"INFO {section} has no {field}")
        return match.group(1).decode()

    def background_save(self):
        """By a forked child."""
        before = int(self.info("persistence", "rdb_saves"))
        harness.check(b"started" in self.say("BGSAVE"), "BGSAVE was refused")
        harness.wait_until(lambda: int(self.info("persistence", "rdb_saves")) > before
                           or self.info("persistence", "rdb_last_bgsave_status") != "ok", 60, "BGSAVE")
        harness.check(self.info("persistence", "rdb_last_bgsave_status") == "ok", "BGSAVE failed")

    def rewrite_log(self):
        self.say("BGREWRITEAOF")
        harness.wait_until(lambda: self.info("persistence", "aof_rewrite_in_progress") == "0"
                           and self.info("persistence", "aof_rewrite_scheduled") == "0", 60, "BGREWRITEAOF")
        harness.check(self.info("persistence", "aof_last_bgrewrite_status") == "ok", "BGREWRITEAOF failed")

    def digest(self):
        """Of all keys and values."""
        return self.say("DEBUG", "DIGEST")

    def shutdown(self, *how):
        """It closes the connection in place of an answer."""
        programs.tool(self.cli, "-s", self.socket, "SHUTDOWN", *how, status=None)

    def terminate(self, process):
        os.kill(process.pid, signal.SIGTERM)
