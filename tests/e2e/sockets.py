#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
"""What the tests of listeners need beyond curl.

	sockets.py send PLACE TEXT [SOURCE]
		Connect to PLACE (port of 127.0.0.1, or path), send TEXT with
		\\r, \\n and \\x escapes, print what comes until the end, at
		most 15 seconds.
	sockets.py activate NAMES PLACE... -- COMMAND...
		Listen on each place and become COMMAND, as a service manager
		starts it. NAMES are for LISTEN_FDNAMES; "": unset. A place
		"udp" is a socket that can't be listened on.
	sockets.py notify PATH FILE
		Write each datagram that comes to PATH to FILE as one line,
		until killed.
	sockets.py hold COUNT WANTED PLACE SECONDS
		Open so many connections at once, wait until WANTED are left
		without an answer of 429, print how many there are then, and
		hold them.
	sockets.py burst COUNT PLACE
		Ask for /health so many times, on a connection each, and print
		how many answers were 200 and how many 429.
"""
import os
import socket
import sys
import time


def place_of(text):
	if text.startswith('@'):
		return socket.AF_UNIX, '\0' + text[1:]
	if text.startswith('/'):
		return socket.AF_UNIX, text
	return socket.AF_INET, ('127.0.0.1', int(text))


def dial(text, source=None):
	family, at = place_of(text)
	s = socket.socket(family, socket.SOCK_STREAM)
	s.settimeout(15)
	if source:
		s.bind((source, 0))
	s.connect(at)
	return s


def send(place, text, source=None):
	s = dial(place, source)
	got = b''
	s.sendall(text.encode('latin-1').decode('unicode_escape')
	    .encode('latin-1'))
	try:
		while True:
			piece = s.recv(65536)
			if not piece:
				break
			got += piece
	except socket.timeout:
		got += b'<still open>'
	except ConnectionResetError:
		got += b'<reset>'
	sys.stdout.write(got.decode('latin-1') + '\n')


def activate(args):
	split = args.index('--')
	names, places, command = args[0], args[1:split], args[split + 1:]
	sockets = []
	for text in places:
		if text == 'udp':
			s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		else:
			family, at = place_of(text)
			s = socket.socket(family, socket.SOCK_STREAM)
			s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
			s.bind(at)
			s.listen(64)
		sockets.append(s)
	# Out of the way first, then to where they are looked for.
	high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(sockets)]
	for i, fd in enumerate(high):
		os.dup2(fd, 3 + i)
		os.close(fd)
	os.environ['LISTEN_PID'] = str(os.getpid())
	os.environ['LISTEN_FDS'] = str(len(places))
	if names:
		os.environ['LISTEN_FDNAMES'] = names
	os.execvp(command[0], command)


def notify(path, out):
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.bind('\0' + path[1:] if path.startswith('@') else path)
	with open(out, 'w', buffering=1) as f:
		while True:
			f.write(s.recv(4096).decode().replace('\n', ' ') + '\n')


def unanswered(s):
	try:
		return b' 429 ' not in s.recv(4096, socket.MSG_PEEK)
	except BlockingIOError:
		return True


def hold(count, wanted, place, seconds):
	sockets = [dial(place) for _ in range(int(count))]
	for s in sockets:
		s.setblocking(False)
	for _ in range(150):
		if sum(map(unanswered, sockets)) <= int(wanted):
			break
		time.sleep(0.1)
	time.sleep(0.5)
	print(sum(map(unanswered, sockets)), flush=True)
	time.sleep(float(seconds))


def burst(count, place):
	sockets = [dial(place) for _ in range(int(count))]
	answers = []
	for s in sockets:
		try:
			s.sendall(b'GET /health HTTP/1.0\r\n\r\n')
		except OSError:
			pass
		answers.append(s.recv(4096)[9:12].decode())
	print(answers.count('200'), answers.count('429'))


if sys.argv[1] == 'activate':
	activate(sys.argv[2:])
else:
	globals()[sys.argv[1]](*sys.argv[2:])
