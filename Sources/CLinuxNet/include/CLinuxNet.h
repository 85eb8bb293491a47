/// What Ringbridge needs of Linux and Swift's Glibc module map lacks: epoll, batches of datagrams, socket options, packet
/// sockets and addresses over netlink. Every function returns 0 or a count, or a negative errno. Nothing here knows a protocol
/// of Ringbridge; buffers belong to the caller; nothing allocates.
#ifndef CLINUXNET_H
#define CLINUXNET_H

#include <stddef.h>
#include <stdint.h>

/// An IP address: `family` 4 (number in the low half of `low`) or 6 (the address as two numbers).
typedef struct {
    uint64_t high;
    uint64_t low;
    uint8_t family;
} linuxnet_address;

/// One datagram of a batch.
typedef struct {
    uint8_t *bytes;
    /// Bytes received or to be sent.
    uint32_t count;
    /// Room at `bytes`, for receiving.
    uint32_t capacity;
    /// The other end.
    linuxnet_address address;
    uint16_t port;
    /// Set when the datagram was longer than `capacity`.
    uint8_t truncated;
} linuxnet_datagram;

/// The most datagrams that one call moves.
#define LINUXNET_BATCH 64

/// Options of `linuxnet_udp_open`.
#define LINUXNET_SHARED 1
#define LINUXNET_BROADCAST 2

/// A non-blocking UDP socket bound to (`address`, `port`) with SO_PRIORITY 6.
int linuxnet_udp_open(const linuxnet_address *address, uint16_t port, int options);

/// The port that a socket is bound to.
int linuxnet_udp_port(int socket);

/// Receives the datagrams of a multicast group on an interface.
int linuxnet_group_join(int socket, const linuxnet_address *group, int interface_index);

/// Multicasts of the socket leave through an interface, from `local`, with a hop limit, and are looped back to this host if `loops`.
int linuxnet_group_send(int socket, const linuxnet_address *local, int interface_index, int hops, int loops);

/// Takes up to `count` (at most LINUXNET_BATCH) datagrams that wait.
int linuxnet_receive(int socket, linuxnet_datagram *datagrams, int count);

/// Sends up to `count` (at most LINUXNET_BATCH) datagrams; returns how many the kernel took, or the error of the first.
int linuxnet_send(int socket, const linuxnet_datagram *datagrams, int count);

int linuxnet_epoll_open(void);
int linuxnet_epoll_add(int epoll, int descriptor, uint64_t token, int writing);
int linuxnet_epoll_remove(int epoll, int descriptor);

/// Waits for readiness for at most `nanoseconds` (negative: for ever) and fills `tokens`.
int linuxnet_epoll_wait(int epoll, uint64_t *tokens, int capacity, int64_t nanoseconds);

/// Blocks SIGTERM, SIGINT, SIGHUP and SIGPIPE for the process and makes a descriptor from which all but the last are read.
int linuxnet_signals_open(void);

/// The next signal that waits; 0 when none does.
int linuxnet_signals_read(int descriptor);

/// Fills `count` bytes from the system's random source, waiting until it is seeded.
int linuxnet_random(void *bytes, size_t count);

/// An interface of this host.
typedef struct {
    int index;
    int mtu;
    uint8_t hardware[6];
    uint8_t has_hardware;
    uint8_t is_loopback;
} linuxnet_interface;

/// Finds an interface by name.
int linuxnet_interface_named(const char *name, linuxnet_interface *found);

/// Finds the interface that holds `address`, its broadcast address (family 0 where there is none) and the name. Every address
/// of 127.0.0.0/8 is held by the loopback interface.
int linuxnet_interface_holding(
    const linuxnet_address *address, linuxnet_interface *found, linuxnet_address *broadcast, char *name, size_t name_size);

/// The broadcast address of an interface's primary IPv4 address.
int linuxnet_interface_broadcast(const char *name, linuxnet_address *broadcast);

/// Adds (`add` not 0) or removes a host address, over netlink.
int linuxnet_address_change(int add, int interface_index, const linuxnet_address *address);

/// A non-blocking packet socket for frames of one EtherType on one interface.
int linuxnet_packet_open(int interface_index, uint16_t ethertype);

/// Sends a frame, Ethernet header included.
int linuxnet_packet_send(int socket, int interface_index, const uint8_t *frame, size_t count);

/// Takes the next frame that waits; 0 when none does.
int linuxnet_packet_receive(int socket, uint8_t *frame, size_t capacity);

/// Makes a pipe whose ends are closed when another program is run.
int linuxnet_pipe(int *reading, int *writing);

/// Binds a Unix stream socket at `path` with mode 0600 and listens.
int linuxnet_unix_listen(const char *path);

/// Connects to the Unix stream socket at `path`.
int linuxnet_unix_connect(const char *path);

#endif
