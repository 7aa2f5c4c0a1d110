# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# For the tests of certificates by themselves:
#
#	acme.py wss PORT NAME ROOTS [SECONDS]
#		Connect a WebSocket client over TLS, verified, and have it
#		answered; try for that long.
#	acme.py load PORT NAME ROOTS STOP
#		Keep some clients connected and connect new ones all the time
#		until the file STOP is there; fail if any is lost.
#	acme.py ca PORT CERT KEY DIR
#		A certificate authority whose mood is in DIR/mood: what it
#		does wrong, once, and then no more. It validates nothing,
#		counts orders in DIR/orders and writes down what it is asked
#		for in DIR/asked.
import base64
import http.server
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time


# ---- clients ----

def open_ws(port, name, roots):
    context = ssl.create_default_context(cafile=roots)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    raw = socket.create_connection(('127.0.0.1', port), timeout=15)
    s = context.wrap_socket(raw, server_hostname=name)
    s.sendall((f'GET /connection/websocket HTTP/1.1\r\nHost: {name}\r\n'
               'Upgrade: websocket\r\nConnection: Upgrade\r\n'
               'Sec-WebSocket-Version: 13\r\n'
               'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n')
              .encode())
    send(s, b'{"id":1,"connect":{}}')
    seen = b''
    while b'"connect"' not in seen:
        piece = s.recv(4096)
        if not piece:
            raise OSError(f'closed after {seen!r}')
        seen += piece
    return s


def send(s, text):
    s.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)


def ask(s, n):
    send(s, b'{"id":%d,"rpc":{"method":"x"}}' % n)
    while True:     # it may ping before
        piece = s.recv(4096)
        if not piece:
            raise OSError('no answer')
        if b'"id":%d' % n in piece:
            return


def wss(port, name, roots, seconds=10):
    end = time.time() + float(seconds)
    while True:
        try:
            open_ws(int(port), name, roots).close()
            return
        except OSError as e:
            if time.time() > end:
                sys.exit(f'{e}')
        time.sleep(0.1)


def load(port, name, roots, stop):
    kept = [open_ws(int(port), name, roots) for _ in range(10)]
    n = 1
    while not os.path.exists(stop):
        n += 1
        for s in kept:
            ask(s, n)
        open_ws(int(port), name, roots).close()
        time.sleep(0.02)
    print(f'{n} rounds')


# ---- the authority ----

class State:
    url = dir = None
    nonce = orders = 0
    asked = {}
    lock = threading.Lock()


def mood():
    """What is to be done wrong: a word and perhaps a number."""
    try:
        with open(f'{State.dir}/mood') as f:
            return f.read().split()
    except OSError:
        return []


def cheer():
    os.unlink(f'{State.dir}/mood')


def payload(body):
    text = json.loads(body)['payload']
    if not text:
        return {}
    return json.loads(base64.urlsafe_b64decode(text + '=' * (-len(text) % 4)))


def issue(csr, *, names=None, days=90, expired=False):
    """A chain for that request, signed by the root in State.dir."""
    d = State.dir
    with open(f'{d}/csr.der', 'wb') as f:
        f.write(csr)

    def openssl(*args):
        return subprocess.run(['openssl', *args], check=True,
                              capture_output=True).stdout.decode()

    openssl('req', '-inform', 'DER', '-in', f'{d}/csr.der', '-out',
            f'{d}/csr.pem')
    if names is None:
        text = openssl('req', '-in', f'{d}/csr.pem', '-noout', '-text')
        line = text.split('Subject Alternative Name:')[1].splitlines()[1]
        names = line.strip().replace('IP Address:', 'IP:')
    with open(f'{d}/ext', 'w') as f:
        f.write(f'subjectAltName={names}\nextendedKeyUsage=serverAuth\n'
                'basicConstraints=CA:FALSE\n'
                'authorityKeyIdentifier=keyid\n')
    if expired:
        open(f'{d}/index', 'w').close()
        with open(f'{d}/ca.cnf', 'w') as f:
            f.write(f'[ca]\ndefault_ca=x\n[x]\ndatabase={d}/index\n'
                    f'new_certs_dir={d}\nrand_serial=yes\n'
                    'default_md=sha256\npolicy=p\n[p]\n'
                    'commonName=optional\n')
        return openssl('ca', '-batch', '-notext', '-config', f'{d}/ca.cnf',
                       '-in', f'{d}/csr.pem', '-cert', f'{d}/root.pem',
                       '-keyfile', f'{d}/root.key', '-extfile', f'{d}/ext',
                       '-startdate', '20200101000000Z', '-enddate',
                       '20200201000000Z', '-subj', '/')
    return openssl('x509', '-req', '-in', f'{d}/csr.pem', '-CA',
                   f'{d}/root.pem', '-CAkey', f'{d}/root.key',
                   '-CAcreateserial', '-days', str(days), '-extfile',
                   f'{d}/ext')


class Authority(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, body, ctype='application/json', headers=()):
        if not isinstance(body, bytes):
            body = (body if isinstance(body, str) else
                    json.dumps(body)).encode()
        State.nonce += 1
        self.send_response(status)
        self.send_header('Content-Type', ctype)
        self.send_header('Content-Length', str(len(body)))
        self.send_header('Replay-Nonce', f'nonce-{State.nonce}')
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def problem(self, status, kind, detail, headers=()):
        self.answer(status, {'type': f'urn:ietf:params:acme:error:{kind}',
                             'detail': detail, 'status': status},
                    'application/problem+json', headers)

    def misbehave(self, step):
        """Whether something wrong was answered instead."""
        wrong = mood()
        if len(wrong) < 2 or wrong[1] != step:
            return False
        what = wrong[0]
        cheer()
        if what == 'limited':
            self.problem(429, 'rateLimited', 'too many certificates',
                         [('Retry-After', '7200')])
        elif what == 'down':
            self.answer(503, '<html>sorry</html>', 'text/html')
        elif what == 'html':
            self.answer(200, '<html>welcome</html>', 'text/html')
        elif what == 'truncated':
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/'
                             b'json\r\nContent-Length: 900\r\n\r\n{"new')
            self.close_connection = True
        elif what == 'cut':
            self.close_connection = True
        elif what == 'empty':
            self.answer(200, {})
        elif what == 'garbage':
            self.answer(200, '{"status":')
        elif what == 'huge':
            self.answer(200, '"' + 'x' * 300000 + '"')
        elif what == 'redirect':
            self.answer(302, '', headers=[('Location', State.url)])
        elif what == 'nolocation':
            self.answer(201, {'status': 'valid'})
        else:
            self.problem(400, what, f'something about {what}')
        return True

    def directory(self):
        u = State.url
        self.answer(200, {
            'newNonce': f'{u}/nonce', 'newAccount': f'{u}/account',
            'newOrder': f'{u}/order', 'revokeCert': f'{u}/revoke'})

    def order(self, n, state, status=200):
        body = {'status': state, 'authorizations': [
            f'{State.url}/authz/{n}'], 'finalize': f'{State.url}/final/{n}'}
        if state == 'valid':
            body['certificate'] = f'{State.url}/cert/{n}'
        self.answer(status, body, headers=[
            ('Location', f'{State.url}/order/{n}')])

    def handle_one(self, body=b''):
        step, _, n = self.path.strip('/').partition('/')
        with State.lock:
            with open(f'{State.dir}/asked', 'a') as f:
                print(self.command, self.path, file=f)
            if not self.misbehave(step + 's' if n and step == 'order'
                                  else step):
                getattr(self, 'do_' + step)(n, body)

    do_HEAD = do_GET = lambda self: self.handle_one()

    def do_POST(self):
        self.handle_one(self.rfile.read(int(self.headers['Content-Length'])))

    def do_dir(self, *_):
        self.directory()

    def do_nonce(self, *_):
        self.answer(200, '')

    def do_account(self, *_):
        self.answer(201, {'status': 'valid'}, headers=[
            ('Location', f'{State.url}/account/1')])

    def do_order(self, n, body):
        if not n:
            State.orders += 1
            with open(f'{State.dir}/orders', 'w') as f:
                f.write(str(State.orders))
            State.asked[str(State.orders)] = 'pending'
            self.order(State.orders, 'pending', 201)
            return
        if State.asked[n] == 'pending':
            State.asked[n] = 'ready'
        if State.asked[n] == 'processing' and mood() != ['stuck']:
            State.asked[n] = 'valid'
        self.order(n, State.asked[n])

    def do_authz(self, n, _):
        state = 'invalid' if mood() == ['invalid'] else 'valid'
        body = {'status': state, 'identifier':
                {'type': 'dns', 'value': 'a.example'}, 'challenges': [
                    {'type': 'http-01', 'status': state, 'token': 'tok',
                     'url': f'{State.url}/chal/{n}'}]}
        if state == 'invalid':
            cheer()
            body['challenges'][0]['error'] = {
                'type': 'urn:ietf:params:acme:error:connection',
                'detail': 'Timeout during connect'}
        self.answer(200, body)

    def do_final(self, n, body):
        State.asked['csr' + n] = base64.urlsafe_b64decode(
            payload(body)['csr'] + '==')
        State.asked[n] = 'processing'
        self.order(n, 'processing')

    def do_cert(self, n, _):
        wrong = mood()
        what = wrong[0] if wrong else ''
        ctype = 'application/pem-certificate-chain'
        csr = State.asked['csr' + n]
        if what:
            cheer()
        if what == 'othername':
            pem = issue(csr, names='DNS:other.example')
        elif what == 'expired':
            pem = issue(csr, expired=True)
        elif what == 'otherkey':
            with open(f'{State.dir}/root.pem') as f:
                pem = f.read()
        elif what == 'short':
            pem = issue(csr)[:200]
        else:
            pem = issue(csr)
        self.answer(200, pem, ctype)

    def do_revoke(self, *_):
        self.answer(200, '')


def ca(port, cert, key, directory):
    State.dir = directory
    State.url = f'https://localhost:{port}'
    server = http.server.ThreadingHTTPServer(('127.0.0.1', int(port)),
                                             Authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == '__main__':
    {'wss': wss, 'load': load, 'ca': ca}[sys.argv[1]](*sys.argv[2:])
