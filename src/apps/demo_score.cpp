#include <algorithm>
#include <filesystem>

#include "apps/program.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "media/contact_sheet.hpp"
#include "media/demo_report.hpp"
#include "media/png.hpp"
#include "media/reader.hpp"

namespace {

namespace demo = wan::demo;

struct Options {
  std::string samples;
  std::optional<std::string> left_out;
  std::string output;
  std::optional<std::string> sheet;
  std::int64_t columns = 8;
  double least_seen = 0;
  double least_left_out = 0;
};

wan::Invocation<Options> parse(const std::vector<std::string>& arguments) {
  wan::Invocation<Options> out;
  Options& o = out.options;
  wan::CommandLine line(
      "wan-demo-score", "--samples DIR --output FILE [flags]",
      "Judges colour and direction of the mp4 files of a folder against their prompts: `prompt` or "
      "`caption` of the .json beside each, as wan-sample and wan-demo-clips write them.");
  line.flag("samples", o.samples, "folder of mp4 files")
      .required()
      .flag("left_out", o.left_out, "left_out.json of wan-demo-clips: captions to score apart")
      .flag("output", o.output, "where to write the scores (JSON)")
      .required()
      .flag("sheet", o.sheet,
            "where to write a contact sheet (PNG): first, middle and last frame of each clip")
      .flag("columns", o.columns, wan::within(1, 100), "clips", "per row of the sheet")
      .flag("least_seen", o.least_seen, wan::within(0, 1), "",
            "share of clips with both right that is asked for; a smaller one is exit code 65")
      .flag("least_left_out", o.least_left_out, wan::within(0, 1), "", "the same of those left out");
  out.text = line.parse(arguments, out.notices);
  return out;
}

std::vector<std::string> mp4_files(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".mp4") files.push_back(entry.path().string());
  }
  if (error) throw wan::NoInputError(folder, error.message());
  if (files.empty()) throw wan::NoInputError(folder, "holds no mp4 file");
  std::sort(files.begin(), files.end());
  return files;
}

/// The prompt that wan-sample, or the caption that wan-demo-clips, wrote beside a file.
std::string text_beside(const std::string& file) {
  const std::string path = std::filesystem::path(file).replace_extension(".json").string();
  const wan::Json json = wan::Json::parse_file(path);
  for (const char* key : {"prompt", "caption"}) {
    if (json.find(key) != nullptr) return json.at(key).as_string();
  }
  throw wan::DataError(path, "has neither 'prompt' nor 'caption'");
}

std::vector<demo::Combination> left_out_of(const Options& options) {
  std::vector<demo::Combination> out;
  if (!options.left_out) return out;
  const wan::Json captions = wan::Json::parse_file(*options.left_out);
  for (const wan::Json& text : captions.as_array()) {
    const auto what = demo::parse_caption(text.as_string());
    if (!what)
      throw wan::DataError(*options.left_out, "\"" + text.as_string() + "\" is no caption of the demo");
    out.push_back(*what);
  }
  return out;
}

void write_sheet(const Options& options, const std::vector<std::string>& files) {
  std::vector<wan::Image> pictures;
  for (const std::string& file : files) {
    wan::VideoReader reader(wan::probe_video(file), std::nullopt);
    for (const std::int64_t k : {std::int64_t{0}, reader.count() / 2, reader.count() - 1})
      pictures.push_back(reader.frame(k));
  }
  wan::write_png(*options.sheet, wan::contact_sheet(pictures, 3 * options.columns));
}

void require_share(const Options& options, const wan::Json& report, const char* part, double least) {
  const wan::Json& both = report.at(part).at("both");
  if (least == 0 || (both.is_number() && both.as_number() >= least)) return;
  throw wan::DataError(options.samples,
                       wan::cat("share of clips with colour and direction right, ", part, ": found ",
                                both.dump(), ", asked for: ", least, " or more"));
}

wan::ExitCode score(wan::Runtime& runtime, const Options& options) {
  if (runtime.rank() != 0) return wan::ExitCode::done;
  const std::vector<std::string> files = mp4_files(options.samples);
  std::vector<demo::Judged> judged;
  for (const std::string& file : files) judged.push_back(demo::judge_file(file, text_beside(file)));
  const wan::Json report = demo::report(judged, left_out_of(options));
  wan::write_file_atomically(options.output, report.dump(2) + "\n");
  if (options.sheet) write_sheet(options, files);
  wan::log::info(wan::cat("seen=", report.at("seen").dump(), " left_out=", report.at("left_out").dump()));
  require_share(options, report, "seen", options.least_seen);
  require_share(options, report, "left_out", options.least_left_out);
  return wan::ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  return wan::run_program<Options>(argc, argv, parse, score);
}
