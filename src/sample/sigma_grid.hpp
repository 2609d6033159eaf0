#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "config/choices.hpp"

namespace wan {

/// Noise levels and what the network is told of them. sigma has steps + 1 entries, the last 0; timestep has
/// `steps`.
struct SigmaGrid {
  std::vector<float> sigma;
  std::vector<float> timestep;  ///< 1000 sigma; UniPC truncates it to an integer
};

/// shift: sigma' = s sigma / (1 + (s - 1) sigma).
/// UniPC: diffusers scheduling_unipc_multistep.py set_timesteps (use_flow_sigmas), Wan2.1
/// fm_solvers_unipc.py. Euler: diffusers scheduling_flow_match_euler_discrete.py, which shifts its end points
/// and then the grid again; `official` is the plain grid linspace(1, 0), shifted once. Throws ConfigError
/// unless steps is 1..10000 and shift is positive.
[[nodiscard]] SigmaGrid sigma_grid(SolverKind solver, SigmaSource source, std::int64_t steps, double shift);

/// "unipc", "euler"; "diffusers", "diffusers-0.36", "official". Throw ConfigError listing what is allowed.
[[nodiscard]] SolverKind solver_from_name(const std::string& name);
[[nodiscard]] SigmaSource sigma_source_from_name(const std::string& name);

}  // namespace wan
