#ifndef RINGBRIDGE_CZLIB_SHIM_H
#define RINGBRIDGE_CZLIB_SHIM_H

#include <stdio.h>
#include <sys/types.h>
#include <zlib.h>

#include <bits/types/cookie_io_functions_t.h>

/* glibc declares it only under _GNU_SOURCE, which a Swift build does not set. */
extern FILE *fopencookie(void *cookie, const char *mode, cookie_io_functions_t functions);

static inline ssize_t inflating_stream_read(void *cookie, char *buffer, size_t size) {
    return gzread((gzFile)cookie, buffer, size > 0x40000000 ? 0x40000000 : (unsigned)size);
}

static inline int inflating_stream_close(void *cookie) {
    return gzclose((gzFile)cookie) == Z_OK ? 0 : EOF;
}

/* A stdio stream of the inflated bytes of `file` (or of its bytes as they are when it is not compressed).
   fclose of the stream closes `file`. NULL when there is no memory; `file` is open then. */
static inline FILE *inflating_stream(gzFile file) {
    cookie_io_functions_t functions = {.read = inflating_stream_read, .close = inflating_stream_close};
    return fopencookie(file, "r", functions);
}

#endif
