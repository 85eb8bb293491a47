#pragma once

#include <stdint.h>

/// Allocations of the process so far: calls of malloc, calloc, realloc, aligned_alloc and posix_memalign.
uint64_t allocation_count(void);
