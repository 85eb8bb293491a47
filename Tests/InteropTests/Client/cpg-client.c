/*
 * A libcpg client with a line interface, for tests against real corosync daemons and for scripts/bench-ring.
 *
 * Standard input:   join GROUP | leave GROUP | send GROUP HEX | burst GROUP COUNT PREFIXHEX | load GROUP COUNT SIZE TAG |
 *                   measure GROUP COUNT SIZE | echo GROUP COUNT SIZE | digest | quit
 * Standard output:  READY NODEID PID
 *                   DELIVER GROUP NODEID PID HEX
 *                   DIGEST GROUP NODEID LENGTH FNV1A32     in place of DELIVER, once `digest` was asked for
 *                   MEMBERS GROUP NODEID/PID,NODEID/PID,...
 *                   SENT COUNT
 *                   MEASURED COUNT SIZE NANOSECONDS
 *                   ECHOED COUNT SIZE MINIMUM MEDIAN P99   round trips in nanoseconds
 *                   ERROR WHAT CODE
 *
 * `burst` sends COUNT messages, each the prefix followed by the text "-<number>" from 1 on, as fast as the daemon takes them.
 * `load` sends COUNT messages of SIZE bytes: the text "TAG-<number>;" and behind it bytes of which each is its place in the message.
 * `measure` sends COUNT messages of SIZE bytes as fast as the daemon takes them and takes the time until the last has come back;
 * `echo` sends each message when the one before has come back.
 */
#define _GNU_SOURCE
#include <corosync/cpg.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LARGEST_MESSAGE 1048576
#define LONGEST_LINE 262144

/* Whether deliveries are printed as digests. */
static int digests;
/* While something is measured: messages of this node that have come back; deliveries are then not printed. */
static int measuring, returned;
static unsigned int local_node;

static void print_hex(const unsigned char *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    static char text[2 * 1048576 + 1];
    size_t i;

    if (count > 1048576)
        count = 1048576;
    for (i = 0; i < count; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * count] = 0;
    fputs(text, stdout);
}

static uint32_t hash(const unsigned char *bytes, size_t count)
{
    uint32_t value = 0x811c9dc5;
    size_t i;

    for (i = 0; i < count; i++)
        value = (value ^ bytes[i]) * 0x01000193;
    return value;
}

static void deliver(cpg_handle_t handle, const struct cpg_name *group, uint32_t node, uint32_t pid, void *message, size_t length)
{
    (void)handle;
    if (measuring) {
        returned += node == local_node;
        return;
    }
    if (digests) {
        printf("DIGEST %.*s %u %zu %08x\n", (int)group->length, group->value, node, length, hash(message, length));
        return;
    }
    printf("DELIVER %.*s %u %u ", (int)group->length, group->value, node, pid);
    print_hex(message, length);
    putchar('\n');
}

static void change(cpg_handle_t handle, const struct cpg_name *group, const struct cpg_address *members, size_t member_count,
           const struct cpg_address *left, size_t left_count, const struct cpg_address *joined, size_t joined_count)
{
    size_t i;

    (void)handle, (void)left, (void)left_count, (void)joined, (void)joined_count;
    printf("MEMBERS %.*s ", (int)group->length, group->value);
    for (i = 0; i < member_count; i++)
        printf("%s%u/%u", i ? "," : "", members[i].nodeid, members[i].pid);
    putchar('\n');
}

static struct cpg_name name_of(const char *text)
{
    struct cpg_name name;

    memset(&name, 0, sizeof(name));
    name.length = strlen(text) < CPG_MAX_NAME_LENGTH ? strlen(text) : CPG_MAX_NAME_LENGTH - 1;
    memcpy(name.value, text, name.length);
    return name;
}

static size_t from_hex(const char *text, unsigned char *bytes, size_t limit)
{
    size_t count = 0;
    unsigned int byte;

    while (count < limit && sscanf(text, "%2x", &byte) == 1) {
        bytes[count++] = byte;
        text += 2;
    }
    return count;
}

/* The daemon takes no messages while its queue is full or a ring forms: wait, and go on receiving meanwhile. */
static void send_message(cpg_handle_t handle, void *bytes, size_t count)
{
    struct iovec piece = { bytes, count };
    cs_error_t error;

    while ((error = cpg_mcast_joined(handle, CPG_TYPE_AGREED, &piece, 1)) == CS_ERR_TRY_AGAIN) {
        cpg_dispatch(handle, CS_DISPATCH_ALL);
        fflush(stdout);
        usleep(1000);
    }
    if (error != CS_OK)
        printf("ERROR send %d\n", error);
}

/* As send_message, without reporting, and without sleeping past the token that makes room. */
static int send_measured(cpg_handle_t handle, int descriptor, void *bytes, size_t count)
{
    struct iovec piece = { bytes, count };
    struct pollfd waiting = { .fd = descriptor, .events = POLLIN };
    cs_error_t error;

    while ((error = cpg_mcast_joined(handle, CPG_TYPE_AGREED, &piece, 1)) == CS_ERR_TRY_AGAIN) {
        poll(&waiting, 1, 1);
        cpg_dispatch(handle, CS_DISPATCH_ALL);
    }
    return error;
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int ascending(const void *one, const void *other)
{
    int64_t difference = *(const int64_t *)one - *(const int64_t *)other;

    return difference < 0 ? -1 : difference > 0;
}

static void await(cpg_handle_t handle, int descriptor, int count)
{
    struct pollfd waiting = { .fd = descriptor, .events = POLLIN };

    while (returned < count && poll(&waiting, 1, 60000) > 0 && cpg_dispatch(handle, CS_DISPATCH_ALL) == CS_OK)
        ;
}

static int measure(cpg_handle_t handle, int descriptor, unsigned char *message, int count, size_t size)
{
    int64_t start = now();
    int i, error = CS_OK;

    for (i = 0; i < count && error == CS_OK; i++) {
        error = send_measured(handle, descriptor, message, size);
        if (i % 16 == 15)
            cpg_dispatch(handle, CS_DISPATCH_ALL);
    }
    await(handle, descriptor, count);
    printf("MEASURED %d %zu %lld\n", returned, size, (long long)(now() - start));
    return error;
}

static int echo(cpg_handle_t handle, int descriptor, unsigned char *message, int count, size_t size)
{
    int64_t *times = calloc(count + 1, sizeof(*times));
    int i, error = CS_OK;

    for (i = 0; i < count && error == CS_OK; i++) {
        int64_t start = now();

        error = send_measured(handle, descriptor, message, size);
        await(handle, descriptor, i + 1);
        times[i] = now() - start;
    }
    qsort(times, i, sizeof(*times), ascending);
    printf("ECHOED %d %zu %lld %lld %lld\n", returned, size, (long long)times[0], (long long)times[i / 2],
           (long long)times[(int64_t)i * 99 / 100]);
    free(times);
    return error;
}

static int obey(cpg_handle_t handle, int descriptor, char *line)
{
    static unsigned char message[LARGEST_MESSAGE];
    char *verb = strtok(line, " \n"), *group = strtok(NULL, " \n"), *first = strtok(NULL, " \n"), *second = strtok(NULL, " \n");
    char *third = strtok(NULL, " \n");
    size_t size = second ? (size_t)atol(second) : 0, byte;
    struct cpg_name name;
    cs_error_t error = CS_OK;

    if (!verb)
        return 1;
    if (!strcmp(verb, "quit"))
        return 0;
    if (!strcmp(verb, "digest")) {
        digests = 1;
        return 1;
    }
    if (!group) {
        printf("ERROR arguments 0\n");
        return 1;
    }
    name = name_of(group);
    if (!strcmp(verb, "join")) {
        while ((error = cpg_join(handle, &name)) == CS_ERR_TRY_AGAIN) {
            cpg_dispatch(handle, CS_DISPATCH_ALL);
            usleep(10000);
        }
    } else if (!strcmp(verb, "leave")) {
        error = cpg_leave(handle, &name);
    } else if (!strcmp(verb, "send") && first) {
        send_message(handle, message, from_hex(first, message, sizeof(message)));
        printf("SENT 1\n");
    } else if (!strcmp(verb, "burst") && first && second) {
        size_t prefix = from_hex(second, message, sizeof(message) - 32);
        int i, count = atoi(first);

        for (i = 0; i < count; i++) {
            send_message(handle, message, prefix + sprintf((char *)message + prefix, "-%d", i + 1));
            cpg_dispatch(handle, CS_DISPATCH_ALL);
        }
        printf("SENT %d\n", count);
    } else if (!strcmp(verb, "load") && first && third && size <= sizeof(message)) {
        int i, count = atoi(first);

        for (i = 1; i <= count; i++) {
            char text[64];
            size_t length = snprintf(text, sizeof(text), "%.40s-%d;", third, i);

            for (byte = 0; byte < size; byte++)
                message[byte] = byte < length ? (unsigned char)text[byte] : (unsigned char)byte;
            send_message(handle, message, size);
            cpg_dispatch(handle, CS_DISPATCH_ALL);
        }
        printf("SENT %d\n", count);
    } else if ((!strcmp(verb, "measure") || !strcmp(verb, "echo")) && first && second && size <= sizeof(message)) {
        measuring = 1;
        returned = 0;
        error = (verb[0] == 'm' ? measure : echo)(handle, descriptor, message, atoi(first), size);
        measuring = 0;
    } else {
        printf("ERROR verb 0\n");
    }
    if (error != CS_OK)
        printf("ERROR %s %d\n", verb, error);
    return 1;
}

int main(void)
{
    cpg_callbacks_t callbacks = { .cpg_deliver_fn = deliver, .cpg_confchg_fn = change };
    cpg_handle_t handle;
    int descriptor, attempt;
    static char line[LONGEST_LINE];
    cs_error_t error = CS_ERR_TRY_AGAIN;

    for (attempt = 0; attempt < 300 && error != CS_OK; attempt++) {
        error = cpg_initialize(&handle, &callbacks);
        if (error != CS_OK)
            usleep(100000);
    }
    if (error != CS_OK || cpg_fd_get(handle, &descriptor) != CS_OK || cpg_local_get(handle, &local_node) != CS_OK) {
        printf("ERROR initialize %d\n", error);
        return 1;
    }
    printf("READY %u %d\n", local_node, getpid());
    fflush(stdout);
    setvbuf(stdin, NULL, _IONBF, 0);
    for (;;) {
        struct pollfd waiting[2] = { { .fd = descriptor, .events = POLLIN }, { .fd = 0, .events = POLLIN } };

        if (poll(waiting, 2, -1) < 0 && errno != EINTR)
            return 1;
        if (waiting[0].revents && cpg_dispatch(handle, CS_DISPATCH_ALL) != CS_OK) {
            printf("ERROR dispatch 0\n");
            fflush(stdout);
            return 1;
        }
        if (waiting[1].revents && (!fgets(line, sizeof(line), stdin) || !obey(handle, descriptor, line)))
            break;
        fflush(stdout);
    }
    cpg_finalize(handle);
    return 0;
}
