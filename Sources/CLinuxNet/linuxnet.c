#define _GNU_SOURCE
#include "CLinuxNet.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// cman and the ring daemons both ask for this priority.
static const int socket_priority = 6;
// Room for a burst of a whole ring's window from every sender.
static const int socket_buffer = 4 << 20;

static socklen_t to_sockaddr(const linuxnet_address *address, uint16_t port, struct sockaddr_storage *out) {
    memset(out, 0, sizeof(*out));
    if (address->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        in->sin_addr.s_addr = htonl((uint32_t)address->low);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    uint64_t halves[2] = {htobe64(address->high), htobe64(address->low)};
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, halves, sizeof(halves));
    return sizeof(*in6);
}

static void from_sockaddr(const struct sockaddr *source, linuxnet_address *address, uint16_t *port) {
    memset(address, 0, sizeof(*address));
    if (source->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)source;
        address->family = 4;
        address->low = ntohl(in->sin_addr.s_addr);
        if (port) *port = ntohs(in->sin_port);
    } else if (source->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)source;
        uint64_t halves[2];
        memcpy(halves, &in6->sin6_addr, sizeof(halves));
        address->family = 6;
        address->high = be64toh(halves[0]);
        address->low = be64toh(halves[1]);
        if (port) *port = ntohs(in6->sin6_port);
    }
}

static int failed_close(int descriptor) {
    int error = errno;
    close(descriptor);
    return -error;
}

static int set_int(int socket, int level, int option, int value) {
    return setsockopt(socket, level, option, &value, sizeof(value));
}

int linuxnet_udp_open(const linuxnet_address *address, uint16_t port, int options) {
    struct sockaddr_storage local;
    socklen_t length = to_sockaddr(address, port, &local);
    int descriptor = socket(local.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    if (local.ss_family == AF_INET6 && set_int(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0) return failed_close(descriptor);
    if ((options & LINUXNET_SHARED) && set_int(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) < 0) return failed_close(descriptor);
    if ((options & LINUXNET_BROADCAST) && set_int(descriptor, SOL_SOCKET, SO_BROADCAST, 1) < 0) return failed_close(descriptor);
    if (set_int(descriptor, SOL_SOCKET, SO_PRIORITY, socket_priority) < 0) return failed_close(descriptor);
    // Larger than the system's limit for privileged processes; up to the limit for others.
    if (set_int(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, socket_buffer) < 0) set_int(descriptor, SOL_SOCKET, SO_RCVBUF, socket_buffer);
    if (set_int(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, socket_buffer) < 0) set_int(descriptor, SOL_SOCKET, SO_SNDBUF, socket_buffer);
    if (bind(descriptor, (struct sockaddr *)&local, length) < 0) return failed_close(descriptor);
    return descriptor;
}

int linuxnet_udp_port(int socket) {
    struct sockaddr_storage local;
    socklen_t length = sizeof(local);
    if (getsockname(socket, (struct sockaddr *)&local, &length) < 0) return -errno;
    linuxnet_address address;
    uint16_t port = 0;
    from_sockaddr((struct sockaddr *)&local, &address, &port);
    return port;
}

int linuxnet_group_join(int socket, const linuxnet_address *group, int interface_index) {
    struct group_req request;
    memset(&request, 0, sizeof(request));
    request.gr_interface = (uint32_t)interface_index;
    to_sockaddr(group, 0, &request.gr_group);
    int level = group->family == 4 ? IPPROTO_IP : IPPROTO_IPV6;
    return setsockopt(socket, level, MCAST_JOIN_GROUP, &request, sizeof(request)) < 0 ? -errno : 0;
}

int linuxnet_group_send(int socket, const linuxnet_address *local, int interface_index, int hops, int loops) {
    if (local->family == 4) {
        struct ip_mreqn request = {.imr_ifindex = interface_index};
        request.imr_address.s_addr = htonl((uint32_t)local->low);
        if (setsockopt(socket, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof(request)) < 0) return -errno;
        if (set_int(socket, IPPROTO_IP, IP_MULTICAST_TTL, hops) < 0) return -errno;
        return set_int(socket, IPPROTO_IP, IP_MULTICAST_LOOP, loops) < 0 ? -errno : 0;
    }
    if (set_int(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, interface_index) < 0) return -errno;
    if (set_int(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops) < 0) return -errno;
    return set_int(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, loops) < 0 ? -errno : 0;
}

int linuxnet_receive(int socket, linuxnet_datagram *datagrams, int count) {
    struct mmsghdr messages[LINUXNET_BATCH];
    struct iovec vectors[LINUXNET_BATCH];
    struct sockaddr_storage sources[LINUXNET_BATCH];
    if (count > LINUXNET_BATCH) count = LINUXNET_BATCH;
    memset(messages, 0, sizeof(messages[0]) * (size_t)count);
    for (int i = 0; i < count; i++) {
        vectors[i] = (struct iovec){.iov_base = datagrams[i].bytes, .iov_len = datagrams[i].capacity};
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &sources[i];
        messages[i].msg_hdr.msg_namelen = sizeof(sources[i]);
    }
    int received = recvmmsg(socket, messages, (unsigned)count, MSG_DONTWAIT, NULL);
    if (received < 0) return -errno;
    for (int i = 0; i < received; i++) {
        datagrams[i].count = messages[i].msg_len;
        datagrams[i].truncated = (messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
        from_sockaddr((struct sockaddr *)&sources[i], &datagrams[i].address, &datagrams[i].port);
    }
    return received;
}

int linuxnet_send(int socket, const linuxnet_datagram *datagrams, int count) {
    struct mmsghdr messages[LINUXNET_BATCH];
    struct iovec vectors[LINUXNET_BATCH];
    struct sockaddr_storage targets[LINUXNET_BATCH];
    if (count > LINUXNET_BATCH) count = LINUXNET_BATCH;
    memset(messages, 0, sizeof(messages[0]) * (size_t)count);
    for (int i = 0; i < count; i++) {
        vectors[i] = (struct iovec){.iov_base = datagrams[i].bytes, .iov_len = datagrams[i].count};
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &targets[i];
        messages[i].msg_hdr.msg_namelen = to_sockaddr(&datagrams[i].address, datagrams[i].port, &targets[i]);
    }
    int sent = sendmmsg(socket, messages, (unsigned)count, MSG_DONTWAIT);
    return sent < 0 ? -errno : sent;
}

int linuxnet_epoll_open(void) {
    int descriptor = epoll_create1(EPOLL_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int linuxnet_epoll_add(int epoll, int descriptor, uint64_t token, int writing) {
    struct epoll_event event = {.events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN, .data = {.u64 = token}};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0) return 0;
    if (errno != EEXIST) return -errno;
    return epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) < 0 ? -errno : 0;
}

int linuxnet_epoll_remove(int epoll, int descriptor) {
    return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL) < 0 ? -errno : 0;
}

int linuxnet_epoll_wait(int epoll, uint64_t *tokens, int capacity, int64_t nanoseconds) {
    struct epoll_event events[LINUXNET_BATCH];
    if (capacity > LINUXNET_BATCH) capacity = LINUXNET_BATCH;
    struct timespec span = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int ready = epoll_pwait2(epoll, events, capacity, nanoseconds < 0 ? NULL : &span, NULL);
    if (ready < 0 && errno == ENOSYS) {
        // Before Linux 5.11. Rounded up: a timer must not be found not yet due.
        int64_t milliseconds = nanoseconds < 0 ? -1 : (nanoseconds + 999999) / 1000000;
        ready = epoll_wait(epoll, events, capacity, (int)(milliseconds > 60000 ? 60000 : milliseconds));
    }
    if (ready < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < ready; i++) tokens[i] = events[i].data.u64;
    return ready;
}

int linuxnet_signals_open(void) {
    sigset_t blocked, wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    // A terminal that is closed must not leave addresses behind; with nohup, SIGHUP stays ignored.
    struct sigaction hangup;
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) sigaddset(&wanted, SIGHUP);
    blocked = wanted;
    sigaddset(&blocked, SIGPIPE);
    if (pthread_sigmask(SIG_BLOCK, &blocked, NULL) != 0) return -EINVAL;
    int descriptor = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int linuxnet_signals_read(int descriptor) {
    struct signalfd_siginfo information;
    ssize_t count = read(descriptor, &information, sizeof(information));
    if (count == (ssize_t)sizeof(information)) return (int)information.ssi_signo;
    return count < 0 && errno != EAGAIN ? -errno : 0;
}

int linuxnet_random(void *bytes, size_t count) {
    size_t filled = 0;
    while (filled < count) {
        ssize_t result = getrandom((uint8_t *)bytes + filled, count - filled, 0);
        if (result > 0) filled += (size_t)result;
        else if (errno != EINTR) return -errno;
    }
    return 0;
}

static int describe_interface(const char *name, linuxnet_interface *found) {
    memset(found, 0, sizeof(*found));
    // Cut, it could be the name of another interface.
    if (strlen(name) >= IFNAMSIZ) return -ENODEV;
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    struct ifreq request;
    memset(&request, 0, sizeof(request));
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(descriptor, SIOCGIFINDEX, &request) < 0) return failed_close(descriptor);
    found->index = request.ifr_ifindex;
    if (ioctl(descriptor, SIOCGIFMTU, &request) == 0) found->mtu = request.ifr_mtu;
    if (ioctl(descriptor, SIOCGIFFLAGS, &request) == 0) found->is_loopback = (request.ifr_flags & IFF_LOOPBACK) != 0;
    if (ioctl(descriptor, SIOCGIFHWADDR, &request) == 0 && request.ifr_hwaddr.sa_family == 1 /* ARPHRD_ETHER */) {
        memcpy(found->hardware, request.ifr_hwaddr.sa_data, sizeof(found->hardware));
        found->has_hardware = 1;
    }
    close(descriptor);
    return 0;
}

int linuxnet_interface_named(const char *name, linuxnet_interface *found) {
    return describe_interface(name, found);
}

int linuxnet_interface_holding(
    const linuxnet_address *address, linuxnet_interface *found, linuxnet_address *broadcast, char *name, size_t name_size) {
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0) return -errno;
    int is_loopback = address->family == 4 && (address->low >> 24) == 127;
    int result = -EADDRNOTAVAIL;
    memset(broadcast, 0, sizeof(*broadcast));
    for (struct ifaddrs *each = all; each; each = each->ifa_next) {
        if (!each->ifa_addr) continue;
        linuxnet_address held;
        from_sockaddr(each->ifa_addr, &held, NULL);
        if (held.family != address->family) continue;
        int same = held.high == address->high && held.low == address->low;
        if (!same && !(is_loopback && (each->ifa_flags & IFF_LOOPBACK))) continue;
        // The loopback interface has no broadcast address of its own, but the kernel delivers to that of its network.
        if (is_loopback) {
            broadcast->family = 4;
            broadcast->low = 0x7FFFFFFF;
        } else if ((each->ifa_flags & IFF_BROADCAST) && each->ifa_broadaddr) {
            from_sockaddr(each->ifa_broadaddr, broadcast, NULL);
        }
        strncpy(name, each->ifa_name, name_size - 1);
        name[name_size - 1] = 0;
        result = describe_interface(each->ifa_name, found);
        break;
    }
    freeifaddrs(all);
    return result;
}

int linuxnet_interface_broadcast(const char *name, linuxnet_address *broadcast) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    struct ifreq request;
    memset(&request, 0, sizeof(request));
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(descriptor, SIOCGIFBRDADDR, &request) < 0) return failed_close(descriptor);
    close(descriptor);
    from_sockaddr(&request.ifr_broadaddr, broadcast, NULL);
    return broadcast->family == 4 && broadcast->low != 0 ? 0 : -EADDRNOTAVAIL;
}

int linuxnet_address_change(int add, int interface_index, const linuxnet_address *address) {
    struct {
        struct nlmsghdr header;
        struct ifaddrmsg message;
        uint8_t attributes[64];
    } request;
    memset(&request, 0, sizeof(request));
    int size = address->family == 4 ? 4 : 16;
    request.header.nlmsg_type = add ? RTM_NEWADDR : RTM_DELADDR;
    request.header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0));
    request.message.ifa_family = address->family == 4 ? AF_INET : AF_INET6;
    request.message.ifa_prefixlen = (uint8_t)(size * 8);
    request.message.ifa_index = (uint32_t)interface_index;
    // The caller has probed: the kernel's own probe would only delay.
    request.message.ifa_flags = address->family == 6 ? IFA_F_NODAD : 0;
    struct sockaddr_storage socket_address;
    to_sockaddr(address, 0, &socket_address);
    const void *bytes = address->family == 4 ? (void *)&((struct sockaddr_in *)&socket_address)->sin_addr
                                             : (void *)&((struct sockaddr_in6 *)&socket_address)->sin6_addr;
    size_t used = NLMSG_LENGTH(sizeof(request.message));
    for (int kind = IFA_ADDRESS; kind <= IFA_LOCAL; kind++) {
        struct rtattr *attribute = (struct rtattr *)((uint8_t *)&request + used);
        attribute->rta_type = (uint16_t)kind;
        attribute->rta_len = (uint16_t)RTA_LENGTH((size_t)size);
        memcpy(RTA_DATA(attribute), bytes, (size_t)size);
        used += RTA_ALIGN(attribute->rta_len);
    }
    request.header.nlmsg_len = (uint32_t)used;

    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (descriptor < 0) return -errno;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (sendto(descriptor, &request, used, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0) return failed_close(descriptor);
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        uint8_t rest[512];
    } answer;
    ssize_t count = recv(descriptor, &answer, sizeof(answer), 0);
    int error = errno;
    close(descriptor);
    if (count < 0) return -error;
    if (count < (ssize_t)(sizeof(answer.header) + sizeof(int)) || answer.header.nlmsg_type != NLMSG_ERROR) return -EPROTO;
    return answer.error.error;
}

int linuxnet_packet_open(int interface_index, uint16_t ethertype) {
    int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ethertype));
    if (descriptor < 0) return -errno;
    struct sockaddr_ll local = {.sll_family = AF_PACKET, .sll_protocol = htons(ethertype), .sll_ifindex = interface_index};
    if (bind(descriptor, (struct sockaddr *)&local, sizeof(local)) < 0) return failed_close(descriptor);
    return descriptor;
}

int linuxnet_packet_send(int socket, int interface_index, const uint8_t *frame, size_t count) {
    struct sockaddr_ll target = {.sll_family = AF_PACKET, .sll_ifindex = interface_index, .sll_halen = 6};
    if (count >= 6) memcpy(target.sll_addr, frame, 6);
    return sendto(socket, frame, count, MSG_DONTWAIT, (struct sockaddr *)&target, sizeof(target)) < 0 ? -errno : 0;
}

int linuxnet_packet_receive(int socket, uint8_t *frame, size_t capacity) {
    ssize_t count = recv(socket, frame, capacity, MSG_DONTWAIT);
    if (count >= 0) return (int)count;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int linuxnet_pipe(int *reading, int *writing) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    *reading = ends[0];
    *writing = ends[1];
    return 0;
}

static int unix_address(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof(address->sun_path)) return -ENAMETOOLONG;
    strcpy(address->sun_path, path);
    return 0;
}

int linuxnet_unix_connect(const char *path) {
    struct sockaddr_un address;
    int result = unix_address(path, &address);
    if (result < 0) return result;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) < 0) return failed_close(descriptor);
    return descriptor;
}

int linuxnet_unix_listen(const char *path) {
    struct sockaddr_un address;
    int result = unix_address(path, &address);
    if (result < 0) return result;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    // The mode of the descriptor becomes that of the file: there is no moment in which others may connect.
    if (fchmod(descriptor, 0600) < 0) return failed_close(descriptor);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof(address)) < 0) return failed_close(descriptor);
    if (listen(descriptor, 16) < 0) return failed_close(descriptor);
    return descriptor;
}
