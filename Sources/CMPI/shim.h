#pragma once
#include <mpi.h>

// What MPI names by macros that Swift cannot see.
static inline MPI_Comm genie_mpi_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Datatype genie_mpi_float(void) { return MPI_FLOAT; }
static inline MPI_Datatype genie_mpi_byte(void) { return MPI_BYTE; }
static inline MPI_Op genie_mpi_sum(void) { return MPI_SUM; }
static inline const void *genie_mpi_in_place(void) { return MPI_IN_PLACE; }
