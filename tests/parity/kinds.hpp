#pragma once
#include "parity/case.hpp"
#include "parity/comparison.hpp"

/// One function per kind of case, each in its own file: computes what the case asks for and reports every
/// tensor. They throw DataError if the case's files do not hold what the kind needs.
namespace wan::parity {

/// "dit": one forward and backward over the case's samples as one pack: output, loss, every gradient.
void run_dit(const Case& which, Report& report);
/// "sampler": sigmas, timesteps and every step of a trajectory through a given velocity field.
void run_sampler(const Case& which, Report& report);
/// "tokenizer": clean_prompt and token ids against recorded text, exactly.
void run_tokenizer(const Case& which, Report& report);

/// "text": token ids of several prompts to the text encoder's hidden states.
void run_umt5(const Case& which, Report& report);
/// "vae": videos to the posterior's mean and log variance, latents to videos.
void run_vae(const Case& which, Report& report);

}  // namespace wan::parity
