// bench_clips FOLDER COUNT [--size HEIGHT,WIDTH] [--frames N]
//
// Draws COUNT clips of 81 frames of 480 x 832 at 16 frames a second for wan-prep to be timed on: moving waves
// with grain, which an encoder cannot leave out, so that decoding them costs what a filmed clip's costs.
// FOLDER/NNNN.mp4 with NNNN.json beside it. A few are drawn, by all cores; the others have their bytes and
// other captions.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "media/writer.hpp"

namespace {

using namespace wan;

struct Options {
  std::string folder;
  std::int64_t count = 0;
  std::int64_t height = 480;
  std::int64_t width = 832;
  std::int64_t frames = 81;
};

std::string path_of(const Options& options, std::int64_t number, const char* ending) {
  std::string name = std::to_string(number);
  name.insert(0, 4 - std::min<std::size_t>(4, name.size()), '0');
  return cat(options.folder, "/", name, ending);
}

Image draw(const Options& options, std::int64_t clip, std::int64_t frame, std::uint32_t& noise) {
  Image out(options.width, options.height);
  for (std::int64_t y = 0; y < options.height; ++y) {
    std::uint8_t* pixel = out.row(y);
    const double down = 0.03 * static_cast<double>(y + 2 * frame);
    for (std::int64_t x = 0; x < options.width; ++x) {
      const double along = 0.02 * static_cast<double>(x - 3 * frame + 17 * clip);
      const double wave = std::sin(down) + std::sin(along);
      for (int colour = 0; colour < 3; ++colour) {
        noise = noise * 1664525U + 1013904223U;
        const double grain = static_cast<double>(noise >> 24) / 16.0;
        *pixel++ = static_cast<std::uint8_t>(std::clamp(120 + 45 * wave + 10 * colour + grain, 0.0, 255.0));
      }
    }
  }
  return out;
}

void write_clip(const Options& options, std::int64_t clip) {
  constexpr int filmed_quality = 23;
  VideoWriter writer(path_of(options, clip, ".mp4"), options.width, options.height, {16, 1}, filmed_quality);
  auto noise = static_cast<std::uint32_t>(clip + 1);
  for (std::int64_t frame = 0; frame < options.frames; ++frame) writer.add(draw(options, clip, frame, noise));
  writer.finish();
}

void run(const Options& options) {
  make_folders(options.folder);
  const std::int64_t drawn = std::min<std::int64_t>(options.count, 8);
  std::vector<std::thread> threads;
  for (std::int64_t clip = 0; clip < drawn; ++clip) threads.emplace_back(write_clip, options, clip);
  for (std::thread& thread : threads) thread.join();
  for (std::int64_t clip = 0; clip < options.count; ++clip) {
    if (clip >= drawn)
      std::filesystem::copy_file(path_of(options, clip % drawn, ".mp4"), path_of(options, clip, ".mp4"));
    Json caption;
    caption.set("caption", cat("waves that move to the right, number ", clip));
    write_file_atomically(path_of(options, clip, ".json"), caption.dump() + "\n");
  }
}

Options parse(const std::vector<std::string>& words) {
  const UsageError usage("usage: bench_clips FOLDER COUNT [--size HEIGHT,WIDTH] [--frames N]");
  if (words.size() < 2 || words.size() % 2 != 0) throw usage;
  Options out;
  out.folder = words[0];
  out.count = std::stoll(words[1]);
  for (std::size_t i = 2; i < words.size(); i += 2) {
    if (words[i] == "--size") {
      const std::vector<std::string> size = split(words[i + 1], ',');
      out.height = std::stoll(size.front());
      out.width = std::stoll(size.back());
    } else if (words[i] == "--frames") {
      out.frames = std::stoll(words[i + 1]);
    } else {
      throw usage;
    }
  }
  return out;
}

}  // namespace

int main(int count, char** words) {
  try {
    run(parse({words + 1, words + count}));
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "bench_clips: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
