"""sshd, whose child before the login has confined itself with seccomp: a call that sshd's filter does not know is its
death.  Every login works, bytes pass both ways, the remote status arrives, and no child is killed."""

import hashlib
import os
import signal
import socket

import programs
from programs import harness

CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
HostKey {place}/host
AuthorizedKeysFile {place}/user.pub
PidFile none
StrictModes no
UsePAM no
"""
LOGINS = 4


def life(rig, sshd, ssh, mode):
    place = rig.directory()
    port = programs.free_port()
    with open(os.path.join(place, "config"), "w", encoding="ascii") as file:
        file.write(CONFIGURATION.format(place=place, port=port))
    for name in ("host", "user"):
        programs.tool(programs.program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(place, name))
    answers = []

    def during(process):
        programs.wait_for_server(process, socket.AF_INET, ("127.0.0.1", port))
        for number in range(LOGINS):
            sent = bytes([number]) * 300000
            got = programs.tool(ssh, "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
                                "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-i",
                                os.path.join(place, "user"), "-p", str(port), "127.0.0.1", "cat; exit 4", stdin=sent,
                                status=4)
            answers.append(hashlib.sha256(got).hexdigest())
            harness.check(got == sent, f"{mode}: {len(got)} of {len(sent)} bytes came back")
        os.kill(process.pid, signal.SIGTERM)

    env = dict(programs.ROOMY, HEAPGAUGE_SYMBOLIZE="names")
    return rig.run([sshd, "-D", "-e", "-f", os.path.join(place, "config")], mode, env, place, during=during)


def body():
    wanted = programs.options(__doc__)
    sshd, ssh = programs.program("sshd"), programs.program("ssh")
    if os.geteuid() != 0:
        harness.skip("sshd separates privileges for root only")
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    with harness.Rig(wanted, 60) as rig:
        life(rig, sshd, ssh, "bare")
        for mode in wanted.mode:
            run = life(rig, sshd, ssh, mode)
            programs.unharmed(run)
            harness.check(b"terminated by signal" not in run.stderr, f"{mode}: {run.stderr.decode(errors='replace')}")
            harness.check(mode == "default" or harness.report_directories(run.directory), f"{mode}: no report")


harness.main(body)
