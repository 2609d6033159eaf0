#include <algorithm>

#include "apps/program.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "media/demo_shapes.hpp"
#include "media/writer.hpp"

namespace {

namespace demo = wan::demo;

struct Options {
  std::string output_dir;
  std::int64_t clips = 256;
  std::int64_t leave_out = 4;
  std::int64_t seed = 1;
  std::int64_t prompt_seeds = 3;
  std::int64_t crf = 4;
};

wan::Invocation<Options> parse(const std::vector<std::string>& arguments) {
  wan::Invocation<Options> out;
  Options& o = out.options;
  wan::CommandLine line(
      "wan-demo-clips", "--output_dir DIR [flags]",
      "Draws the demo's clips: DIR/clips/clip_00000.mp4 and .json and so on, DIR/prompts.json for "
      "wan-sample (every combination of colour, shape and direction) and DIR/left_out.json, the "
      "captions that no clip has.");
  line.flag("output_dir", o.output_dir, "where to write")
      .required()
      .flag("clips", o.clips, wan::within(1, 99999), "clips",
            "how many, spread evenly over the combinations shown")
      .flag("leave_out", o.leave_out, wan::within(0, 16), "combinations", "how many of 32 are not shown")
      .flag("seed", o.seed, wan::at_least(0), "", "what is drawn depends on it alone")
      .flag("prompt_seeds", o.prompt_seeds, wan::at_least(1), "",
            "how often each combination is prompted for")
      .flag("crf", o.crf, wan::within(0, 51), "", "x264's quality; 64 x 64 pixels want a low one");
  out.text = line.parse(arguments, out.notices);
  return out;
}

void write_clip(const Options& options, const demo::Combination& what, std::int64_t index) {
  std::string number = std::to_string(index);
  number.insert(0, 5 - number.size(), '0');
  const std::string path = options.output_dir + "/clips/clip_" + number;
  wan::VideoWriter writer(path + ".mp4", demo::side, demo::side, {demo::fps, 1},
                          static_cast<int>(options.crf));
  for (const wan::Image& frame : demo::draw_clip(what, static_cast<std::uint64_t>(options.seed), index)) {
    writer.add(frame);
  }
  writer.finish();
  wan::Json caption;
  caption.set("caption", demo::caption(what));
  wan::write_file_atomically(path + ".json", caption.dump(2) + "\n");
}

void write_lists(const Options& options, const std::vector<demo::Combination>& left_out) {
  wan::Json prompts = wan::Json(wan::Json::Array{});
  for (std::int64_t i = 0; i < options.prompt_seeds * demo::combination_count; ++i) {
    wan::Json prompt;
    prompt.set("prompt", demo::caption(demo::combination(i % demo::combination_count)))
        .set("seed", options.seed + i);
    prompts.push(std::move(prompt));
  }
  wan::write_file_atomically(options.output_dir + "/prompts.json", prompts.dump(2) + "\n");
  wan::Json captions = wan::Json(wan::Json::Array{});
  for (const demo::Combination& what : left_out) captions.push(demo::caption(what));
  wan::write_file_atomically(options.output_dir + "/left_out.json", captions.dump(2) + "\n");
}

wan::ExitCode draw(wan::Runtime& runtime, const Options& options) {
  const auto left_out = demo::left_out(options.leave_out, static_cast<std::uint64_t>(options.seed));
  std::vector<demo::Combination> shown;
  for (std::int64_t number = 0; number < demo::combination_count; ++number) {
    const demo::Combination what = demo::combination(number);
    if (std::find(left_out.begin(), left_out.end(), what) == left_out.end()) shown.push_back(what);
  }
  wan::make_folders(options.output_dir + "/clips");
  for (std::int64_t i = runtime.rank(); i < options.clips; i += runtime.size()) {
    write_clip(options, shown[static_cast<std::size_t>(i) % shown.size()], i);
  }
  if (runtime.rank() == 0) {
    write_lists(options, left_out);
    wan::log::info(
        wan::cat("clips=", options.clips, " combinations=", shown.size(), " folder=", options.output_dir));
  }
  return wan::ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  return wan::run_program<Options>(argc, argv, parse, draw);
}
