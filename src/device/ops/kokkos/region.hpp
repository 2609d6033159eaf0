#pragma once

namespace wan {

/// Opens and closes a named region for Kokkos Tools; without a tool it costs nothing. Regions nest.
void begin_region(const char* name);
void end_region();

}  // namespace wan
