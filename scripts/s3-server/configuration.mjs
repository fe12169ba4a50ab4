/** The configuration of a cluster that is to be small and quick, and to lose everything when it ends. */
export function cephConfiguration({ directory, fsid, monitorPort, port }) {
  return `[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${monitorPort}/0]
# Without authentication between the daemons the gateway does not start.
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${directory}/keyring
ms bind ipv4 = true
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = ${directory}/run
admin socket = ${directory}/run/$name.asok
log file = ${directory}/$name.log
pid file = ${directory}/run/$name.pid
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
# How full the machine's disk is does not matter to what lies in memory.
mon data avail warn = 1
mon data avail crit = 0
mon max pg per osd = 2000
[mon.a]
mon data = ${directory}/mon
[osd.0]
osd objectstore = memstore
memstore device bytes = 4294967296
osd data = ${directory}/osd
[client.rgw.a]
rgw data = ${directory}/rgw
# Without tcp_nodelay every call waits 45 ms for an acknowledgement.
rgw frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
rgw enable ops log = false
rgw enable usage log = false
rgw enable quota threads = false
rgw thread pool size = 64
rgw override bucket index max shards = 1
rgw dynamic resharding = false
# Deleted objects give their memory back at once, not after two hours.
rgw gc obj min wait = 1
rgw gc processor period = 5
rgw gc processor max time = 5
`;
}
