#include "checkpoint/checkpoint.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>

#include "base/bf16.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/snapshot.hpp"
#include "checkpoint/stored_reader.hpp"
#include "checkpoint/verify.hpp"
#include "comm/agree.hpp"

namespace wan::checkpoint {
namespace {

constexpr std::int64_t convert_block = std::int64_t{1} << 20;
/// Of a manifest, state or configuration; a manifest takes some 300 bytes a tensor.
constexpr std::int64_t most_text_bytes = std::int64_t{1} << 28;

void convert(const void* from, DType from_type, void* to, DType to_type, std::int64_t count) {
  if (from_type == to_type) {
    std::memcpy(to, from, static_cast<std::size_t>(count * bytes_of(to_type)));
  } else if (from_type == DType::bf16) {
    for (std::int64_t i = 0; i < count; ++i) {
      static_cast<float*>(to)[i] = to_float(static_cast<const bf16*>(from)[i]);
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      static_cast<bf16*>(to)[i] = to_bf16(static_cast<const float*>(from)[i]);
    }
  }
}

/// Rank 0 reads, all ranks get the text.
std::string read_for_all(const Communicator& comm, const std::string& path) {
  std::string text;
  do_together(comm, [&] {
    if (comm.rank() == 0) text = read_file(path, most_text_bytes);
  });
  return broadcast_text(comm, text);
}

}  // namespace

const StoredTensor* Checkpoint::find(const std::string& path) const {
  const auto found = index_.find(path);
  return found == index_.end() ? nullptr : &manifest_.tensors[found->second];
}

void Checkpoint::read(const std::string& path, const ShardSpec& part, DType dtype, void* to) const {
  const StoredTensor* tensor = find(path);
  if (tensor == nullptr) throw DataError(folder_, "holds no tensor " + path);
  if (tensor->shape != part.global()) {
    throw DataError(
        folder_, cat("tensor ", path, " is ", tensor->shape.text(), ", asked for as ", part.global().text()));
  }
  if (dtype != DType::f32 && dtype != DType::bf16) {
    throw InternalError(cat("checkpoint: ", path, " asked for as ", name_of(dtype), ", allowed: fp32, bf16"));
  }
  const std::int64_t width = bytes_of(dtype);
  StoredReader reader(folder_);
  std::vector<std::byte> stored;
  part.visit_runs([&](std::int64_t global, std::int64_t local, std::int64_t count) {
    for (std::int64_t done = 0; done < count; done += convert_block) {
      const std::int64_t n = std::min(convert_block, count - done);
      std::byte* const out = static_cast<std::byte*>(to) + (local + done) * width;
      if (tensor->dtype == dtype) {
        reader.read(*tensor, global + done, n, out);
        continue;
      }
      stored.resize(static_cast<std::size_t>(n * bytes_of(tensor->dtype)));
      reader.read(*tensor, global + done, n, stored.data());
      convert(stored.data(), tensor->dtype, out, dtype, n);
    }
  });
}

Checkpoint open_iteration(const Communicator& comm, const std::string& folder, const Wanted& wanted) {
  Checkpoint checkpoint;
  checkpoint.folder_ = folder;
  const std::string manifest_path = folder + "/" + manifest_name;
  const std::string manifest_text = read_for_all(comm, manifest_path);
  do_together(comm, [&] {
    checkpoint.manifest_ = manifest_from_text(manifest_text, manifest_path);
    for (std::size_t t = 0; t < checkpoint.manifest_.tensors.size(); ++t) {
      checkpoint.index_.emplace(checkpoint.manifest_.tensors[t].path, t);
    }
    const std::string name = split(folder, '/').back();
    if (name != iteration_name(checkpoint.step())) {
      throw DataError(manifest_path, cat("is of step ", checkpoint.step(), " but lies in ", name));
    }
  });
  std::vector<std::string> files;
  if (!wanted.optimizer) files.emplace_back(file_name_of(FileKind::model));
  verify(comm, folder, checkpoint.manifest_, files, wanted.threads);
  const std::string state_path = folder + "/" + state_name;
  const std::string state = read_for_all(comm, state_path);
  checkpoint.config_ = read_for_all(comm, folder + "/" + config_name);
  do_together(comm, [&] { checkpoint.state_ = Json::parse(state, state_path); });
  return checkpoint;
}

std::optional<Checkpoint> open_newest(const Communicator& comm, const std::string& run,
                                      const Wanted& wanted) {
  std::vector<std::string> steps;
  if (comm.rank() == 0) {
    for (const std::int64_t step : iterations_in(run)) steps.push_back(std::to_string(step));
  }
  const std::string listed = broadcast_text(comm, join(steps, " "));
  if (listed.empty() && wanted.step < 0) return std::nullopt;
  std::vector<std::string> reasons;
  for (const std::string& text : split(listed, ' ')) {
    if (text.empty() || (wanted.step >= 0 && std::stoll(text) != wanted.step)) continue;
    try {
      return open_iteration(comm, run + "/" + iteration_name(std::stoll(text)), wanted);
    } catch (const Error& error) {
      if (error.code() == ExitCode::comm || error.code() == ExitCode::internal) throw;
      reasons.emplace_back(error.what());
      if (comm.rank() == 0) log::warn(cat("checkpoint passed over: ", error.what()));
    }
  }
  if (wanted.step >= 0 && reasons.empty()) {
    if (!std::filesystem::is_directory(run)) throw NoInputError(run, "there is no such folder");
    throw NoInputError(
        run, cat("holds no iteration ", wanted.step, "; there are: ", listed.empty() ? "none" : listed));
  }
  throw DataError(run, cat("no checkpoint verifies, and none is started over them: ", join(reasons, "; ")));
}

}  // namespace wan::checkpoint
