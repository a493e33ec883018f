"""Services as processes, told what to do; a request is a header that is carried from one to the next."""

import os
import subprocess

from support import check, environment, reports


class Service:
    def __init__(self, program, directory, name, **settings):
        self.name = name
        self.output = os.path.join(directory, name)
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=directory,
            env=environment(directory, HEAPGAUGE_SERVICE=name, HEAPGAUGE_OUTPUT=self.output, **settings))

    def tell(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n")
        check(answer not in ("", "what?", "failed"), f"{self.name}: {words}: {answer!r}")
        return answer

    def report(self):
        self.tell("report")
        return reports(self.output)[-1]

    def end(self):
        self.process.stdin.close()
        self.process.stdout.read()
        said = self.process.stderr.read()
        check(self.process.wait(timeout=60) == 0, f"{self.name} ends with {self.process.returncode}: {said}")
        return said


class Net:
    """Services by name, started when they are first called."""

    def __init__(self, program, directory, **settings):
        self.program, self.directory, self.settings = program, directory, settings
        self.services = {}

    def __getitem__(self, name):
        if name not in self.services:
            self.services[name] = Service(self.program, self.directory, name, **self.settings)
        return self.services[name]

    def __enter__(self):
        return self

    def __exit__(self, *details):
        for service in self.services.values():
            if service.process.poll() is None:
                service.process.kill()
            service.process.wait()

    def go(self, way, size=0, propagate=True, wait=False):
        """A request along `way`, `size` bytes kept for each call; `wait`: none of the calls comes back.  The depths."""
        header, depths = "-", []
        for number, name in enumerate(way):
            service = self[name]
            depths.append(int(service.tell("accept", header if propagate else "-")))
            if number + 1 < len(way):
                service.tell("begin", way[number + 1])
                if size:
                    service.tell("keep", size)
                header = service.tell("header")
        for number, name in reversed(list(enumerate(way))):
            for _ in range(2 if number + 1 < len(way) else 1):
                self[name].tell("end")
            if not wait:
                self[name].tell("drop")
        return depths

    def report(self):
        return {name: service.report() for name, service in self.services.items()}

    def paths(self):
        return [service.output for service in self.services.values()]
