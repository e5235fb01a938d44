# listener.pl KIND:PORT...: answers where a real service would. Environment: BODY, NOTIFY_SOCKET.
# `http:PORT` answers every request with 200 and BODY; `tcp:PORT` takes the connection and closes it.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;

my $body = defined $ENV{BODY} ? $ENV{BODY} : 'ok';
my (%kind, $listening);
$listening = IO::Select->new;
for (@ARGV) {
  my ($kind, $port) = split /:/;
  my $socket = IO::Socket::INET->new(LocalPort => $port, Listen => 16, ReuseAddr => 1)
    or die "cannot listen on port $port: $@\n";
  $kind{$socket} = $kind;
  $listening->add($socket);
}
if (my $address = $ENV{NOTIFY_SOCKET}) {
  $address =~ s/^\@/\0/;
  my $systemd = IO::Socket::UNIX->new(Type => IO::Socket::UNIX::SOCK_DGRAM(), Peer => $address);
  $systemd->send("READY=1\n") if $systemd;
}

$SIG{PIPE} = 'IGNORE';
while (my @ready = $listening->can_read) {
  for my $socket (@ready) {
    my $client = $socket->accept or next;
    if ($kind{$socket} eq 'http') {
      # A client that says nothing must not keep the others waiting.
      eval {
        local $SIG{ALRM} = sub { die };
        alarm 2;
        while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
        alarm 0;
      };
      alarm 0;
      print $client "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: "
        . length($body) . "\r\n\r\n$body";
    }
    close $client;
  }
}
