// Counts what a thread allocates, where the C library lets us stand in for it.
#pragma once

/// Calls of malloc and its relatives that this thread made so far; -1 where they cannot be counted.
long allocation_count(void);
