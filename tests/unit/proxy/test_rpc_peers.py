"""Who is at the other end: a provider by the certificate of its handshake, a client by its user."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ngp.proxy import rpc


def certificate():
    """A key and a certificate for itself, as a plugin makes them at its start."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return key, made.sign(key, hashes.SHA256())


@pytest.mark.parametrize("is_its_own", [True, False])
def test_only_the_certificate_of_the_handshake_is_spoken_to(bench, is_its_own):
    (key, shown), (_, other) = certificate(), certificate()
    pem = bench.path / "pem"
    no_encryption = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_encryption)
    pem.write_bytes(private + shown.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.set_alpn_protocols(["h2"])
    heard = []

    async def hear(reader, writer):
        heard.append(await reader.read(24))
        writer.close()

    async def work():
        path = str(bench.sockets / "provider")
        expected = (shown if is_its_own else other).public_bytes(serialization.Encoding.DER)
        async with await asyncio.start_unix_server(hear, path, ssl=context):
            channel = rpc.channel(path, expected)
            with pytest.raises(rpc.GoneError):
                await rpc.ask(channel, "/tfplugin6.Provider/ConfigureProvider", b"secret")
            channel.close()

    asyncio.run(asyncio.wait_for(work(), 30))
    assert [text[:3] for text in heard] == ([b"PRI"] if is_its_own else [])


def test_another_users_connection_is_answered_nothing(bench, mocker):
    mocker.patch("ngp.proxy.rpc.is_own_peer", return_value=False)
    asked = []

    async def answer(method, stream):
        asked.append(method)
        await stream.send_message(b"secret")

    async def work():
        path = bench.sockets / "terraform"
        async with await rpc.listen(path, lambda: (answer, lambda: None)):
            channel = rpc.channel(str(path))
            with pytest.raises(rpc.GoneError):
                await rpc.ask(channel, "/tfplugin6.Provider/ReadResource", b"x")
            channel.close()

    asyncio.run(asyncio.wait_for(work(), 30))
    assert asked == []
