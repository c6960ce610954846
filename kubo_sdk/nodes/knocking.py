"""The Perl program that finds out, on a machine, whom it reaches and which of its daemons answer.

It is one process without modules, which would cost more than all it does; perl-base is essential in every Debian and
Ubuntu.  It waits for everybody at once.  Its arguments are how many seconds that may take, then doors: ``NAME=ADDRESS``
or the name of a unit that has one of its own.  It prints a line for each: ``knock NAME ADDRESS WORD``, and the word is
``reached``, ``answers``, ``refused`` or ``silent``.
"""

from __future__ import annotations

from kubo_sdk.nodes.kube_proxy import HEALTH_PORT as KUBE_PROXY_PORT
from kubo_sdk.nodes.kubelet import HEALTH_PORT as KUBELET_PORT
from kubo_sdk.nodes.paths import CONTAINERD_SOCKET

SECONDS = 0.4

REACHED = "reached"
ANSWERS = "answers"
REFUSED = "refused"

# Where a daemon answers whoever is on its machine.  systemd calls one active that stands still.
DOORS = {
    "containerd.service": CONTAINERD_SOCKET,
    "kubelet.service": f"127.0.0.1:{KUBELET_PORT}",
    "kube-proxy.service": f"127.0.0.1:{KUBE_PROXY_PORT}",
}

# The numbers are Linux's: 1 and 2 for Unix and IPv4, 2049 for a stream that does not block, 115 for a connection under
# way, 111 for a refused one, and 1 with 4 for the error of a socket.  A gRPC server greets whoever speaks HTTP/2.
KNOCK = (
    r"""
my ($left, @doors) = @ARGV;
my %own = (%s);
my (%at, %word, @names);
for (@doors) {
  my ($name, $where) = split /=/;
  $where = $own{$name} unless defined $where;
  next unless defined $where;
  my $door = "$name $where";
  push @names, $door;
  my $unix = $where =~ m{^/};
  my $to = $unix ? pack("S a*", 1, "$where\0") : pack("S n C4 x8", 2, $where =~ /:(.*)/, $where =~ /(\d+)/g);
  socket(my $socket, $unix ? 1 : 2, 2049, 0) or next;
  my $say = $unix ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" : "GET /healthz HTTP/1.0\r\n\r\n";
  if (connect($socket, $to) or $! + 0 == 115) { $at{$door} = [$socket, exists $own{$name} ? $say : ""] }
  elsif ($! + 0 == 111) { $word{$door} = "refused" }
}
while (%at and $left > 0) {
  my ($in, $out) = ("", "");
  for (values %at) {
    if (defined $_->[1]) { vec($out, fileno $_->[0], 1) = 1 } else { vec($in, fileno $_->[0], 1) = 1 }
  }
  (my $ready, $left) = select($in, $out, undef, $left);
  last unless $ready > 0;
  for my $door (keys %at) {
    my ($socket, $say) = @{$at{$door}};
    if (vec($out, fileno $socket, 1)) {
      my $error = unpack "i", getsockopt($socket, 1, 4);
      $word{$door} = $error == 111 ? "refused" : "silent" if $error;
      $word{$door} = "reached" if not $error and $say eq "";
      if ($error or $say eq "") { delete $at{$door} }
      else { $SIG{PIPE} = "IGNORE"; syswrite $socket, $say; $at{$door}[1] = undef }
    } elsif (vec($in, fileno $socket, 1)) {
      $word{$door} = sysread($socket, my $byte, 1) ? "answers" : "silent";
      delete $at{$door};
    }
  }
}
print "knock $_ ", $word{$_} || "silent", "\n" for @names;
"""
).replace("%s", ", ".join(f'"{unit}" => "{where}"' for unit, where in DOORS.items()), 1)
