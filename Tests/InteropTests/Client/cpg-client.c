/*
 * A libcpg client with a line interface, for tests against real corosync daemons.
 *
 * Standard input:   join GROUP | leave GROUP | send GROUP HEX | burst GROUP COUNT PREFIXHEX | quit
 * Standard output:  READY NODEID PID
 *                   DELIVER GROUP NODEID PID HEX
 *                   MEMBERS GROUP NODEID/PID,NODEID/PID,...
 *                   SENT COUNT
 *                   ERROR WHAT CODE
 *
 * `burst` sends COUNT messages, each the prefix followed by the text "-<number>" from 1 on, as fast as the daemon takes them.
 */
#include <corosync/cpg.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define LARGEST_MESSAGE 65536

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

static void deliver(cpg_handle_t handle, const struct cpg_name *group, uint32_t node, uint32_t pid, void *message, size_t length)
{
    (void)handle;
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

static int obey(cpg_handle_t handle, char *line)
{
    static unsigned char message[LARGEST_MESSAGE];
    char *verb = strtok(line, " \n"), *group = strtok(NULL, " \n"), *first = strtok(NULL, " \n"), *second = strtok(NULL, " \n");
    struct cpg_name name;
    cs_error_t error = CS_OK;

    if (!verb)
        return 1;
    if (!strcmp(verb, "quit"))
        return 0;
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
    unsigned int node = 0;
    int descriptor, attempt;
    char line[2 * LARGEST_MESSAGE + 256];
    cs_error_t error = CS_ERR_TRY_AGAIN;

    for (attempt = 0; attempt < 300 && error != CS_OK; attempt++) {
        error = cpg_initialize(&handle, &callbacks);
        if (error != CS_OK)
            usleep(100000);
    }
    if (error != CS_OK || cpg_fd_get(handle, &descriptor) != CS_OK || cpg_local_get(handle, &node) != CS_OK) {
        printf("ERROR initialize %d\n", error);
        return 1;
    }
    printf("READY %u %d\n", node, getpid());
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
        if (waiting[1].revents && (!fgets(line, sizeof(line), stdin) || !obey(handle, line)))
            break;
        fflush(stdout);
    }
    cpg_finalize(handle);
    return 0;
}
