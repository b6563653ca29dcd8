"""A double of Session Manager: of the AWS CLI and of its plugin, with a real sshd behind them in place of an instance.

ngp meets Session Manager as two programs on PATH: these are what is doubled, and nothing of the service behind them.
It is held to:

- `aws ssm start-session`: the options of StartSession in botocore's model (`hold_to_model` checks what ngp writes), and
  how the AWS CLI calls the plugin: the answer (or the name of a variable with it), region, `StartSession`, profile, the
  request as JSON, endpoint.
- github.com/aws/session-manager-plugin 1.2.0.0 (commit 061cf12), as read there:
  - session.go, `ValidateInputAndStartSession`: these six arguments; `Target` is taken from the request.
  - session.go, `Execute`: a blank line and "Starting session with SessionId: …" go to *stdout*, before the first byte
    of sshd. RFC 4253, 4.2 lets a server send such lines before its version; OpenSSH and asyncssh skip them.
  - standardstreamforwarding.go, which serves AWS-StartSSHSession: stdin to the port and the port to stdout, byte for
    byte, 1024 at once. The end of stdin ends the plugin at once, whatever sshd would still say.
  - streaming.go, `HandleChannelClosedMessage`: where the instance closes, "Exiting session with sessionId: …" goes to
    stdout, then the exit code is 0.

Between the plugin and the service are WebSocket messages, which ngp never sees and this double has not: a header of 116
bytes, big-endian (its length, type 32, schema 4, date 8, sequence number 8, flags 8, message id 16, SHA-256 of the
payload 32, payload type 4), then the length of the payload and the payload; each is acknowledged by its sequence number
(clientmessage.go).
"""

import os
import sys

SESSION = "me-0123456789abcdef0"
AWS = """#!{python}
import json, os, sys
open({told!r}, "a").write(" ".join(sys.argv[1:]) + "\\n")
words = sys.argv[3:]
said = dict(zip(words[::2], words[1::2]))
name, _, value = said["--parameters"].partition("=")
request = {{"Target": said["--target"], "DocumentName": said["--document-name"], "Parameters": {{name: [value]}}}}
os.environ["AWS_SSM_START_SESSION_RESPONSE"] = json.dumps(
    {{"SessionId": {session!r}, "StreamUrl": "wss://ssmmessages.example/", "TokenValue": "token"}}
)
endpoint = "https://ssm." + said["--region"] + ".amazonaws.com"
profile = said.get("--profile", "")
arguments = ["AWS_SSM_START_SESSION_RESPONSE", said["--region"], "StartSession", profile, json.dumps(request), endpoint]
os.execvp("session-manager-plugin", ["session-manager-plugin", *arguments])
"""
PLUGIN = """#!{python}
import json, os, socket, sys, threading
_, answer, region, operation, profile, request, endpoint = sys.argv
session = json.loads(os.environ.pop(answer))["SessionId"]
assert operation == "StartSession" and json.loads(request)["Target"]
os.write(1, f"\\nStarting session with SessionId: {{session}}\\n".encode())
port = int(json.loads(request)["Parameters"]["portNumber"][0])
to = socket.create_connection(({address!r}, {port} if port == 22 else port))
def up():
    while piece := os.read(0, 1024):
        to.sendall(piece)
    os._exit(0)
threading.Thread(target=up, daemon=True).start()
while piece := to.recv(65536):
    os.write(1, piece)
os.write(1, f"\\n\\nExiting session with sessionId: {{session}}.\\n\\n".encode())
"""


def lay(folder, address, port=0):
    """Write both programs, with the sshd at `address` behind them; return a PATH. `told` in `folder` has the calls.

    `port` is that of sshd, where a call names the usual one.
    """
    programs = folder / "bin"
    programs.mkdir()
    values = {
        "python": sys.executable,
        "told": str(folder / "told"),
        "address": address,
        "session": SESSION,
        "port": port or 22,
    }
    for name, text in (("aws", AWS), ("session-manager-plugin", PLUGIN)):
        (programs / name).write_text(text.format(**values))
        (programs / name).chmod(0o755)
    return f"{programs}{os.pathsep}{os.environ['PATH']}"


def hold_to_model(argv):
    """Check a command line of `aws ssm start-session` against botocore's model of the call."""
    import botocore.session
    import botocore.validate

    aws, service, operation, *words = argv
    assert (aws, service, operation) == ("aws", "ssm", "start-session")
    said = dict(zip(words[::2], words[1::2], strict=True))
    assert said.pop("--region")
    said.pop("--profile", None)
    name, _, value = said.pop("--parameters").partition("=")
    call = {"".join(word.title() for word in key.strip("-").split("-")): value for key, value in said.items()}
    shape = botocore.session.get_session().get_service_model("ssm").operation_model("StartSession").input_shape
    report = botocore.validate.ParamValidator().validate({**call, "Parameters": {name: [value]}}, shape)
    assert not report.has_errors(), report.generate_report()
