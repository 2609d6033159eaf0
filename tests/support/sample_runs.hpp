#pragma once
#include <map>
#include <string>
#include <vector>

#include "support/run_command.hpp"

/// wan-sample on the demo's model with a transformer of random weights.
namespace wan::test {

/// Copies the demo's model folder and gives it a transformer.
void make_model_folder(const std::string& folder);

/// The words that start wan-sample on `ranks` ranks of one thread: `model` to `output`, then `flags`.
[[nodiscard]] std::vector<std::string> sample_command(int ranks, const std::string& model,
                                                      const std::string& output,
                                                      const std::vector<std::string>& flags);

/// Hash of every file of a folder by its name.
[[nodiscard]] std::map<std::string, std::string> bytes_in(const std::string& folder);

}  // namespace wan::test
