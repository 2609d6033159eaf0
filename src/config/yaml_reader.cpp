#include "config/yaml_reader.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <cstddef>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

namespace wan {

namespace {

// Builds the settings straight from the parser's events, so that no document tree exists and every limit is
// checked before anything is stored.
class SettingsBuilder : public YAML::EventHandler {
 public:
  SettingsBuilder(std::string name, const YamlLimits& limits) : limits_(limits), name_(std::move(name)) {}

  std::vector<Setting> take() { return std::move(settings_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) fail(mark, "a second document; a run file holds one");
    started_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { scalar(mark, "?", anchor, ""); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail(mark, "an alias; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    scalar(mark, tag, anchor, value);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    plain(mark, tag, anchor);
    if (frames_.empty()) fail(mark, "a list; the file's top level is a mapping of groups");
    if (frames_.back().is_map && !frames_.back().has_key) fail(mark, "a list as a key");
    open(mark, Frame{false, false, current_key(), line(mark), {"", false, true, {}}});
  }

  void OnSequenceEnd() override {
    Frame done = std::move(frames_.back());
    frames_.pop_back();
    store(std::move(done.list), done.line);
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    plain(mark, tag, anchor);
    if (!frames_.empty() && !frames_.back().is_map)
      fail(mark, "a mapping inside a list; lists hold plain values");
    if (!frames_.empty() && !frames_.back().has_key) fail(mark, "a mapping as a key");
    open(mark, Frame{true, false, current_key(), line(mark), {}});
  }

  void OnMapEnd() override {
    frames_.pop_back();
    if (!frames_.empty()) frames_.back().has_key = false;
  }

 private:
  struct Frame {
    bool is_map;
    bool has_key;     // a map that waits for the value of `key`
    std::string key;  // a map: the key being filled, with its parents; a list: the list's own key
    int line;
    Value list;
  };

  static int line(const YAML::Mark& mark) { return mark.line + 1; }

  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& what) const { fail(line(mark), what); }
  [[noreturn]] void fail(int at, const std::string& what) const {
    throw ConfigError("", cat(name_, ":", at, ": found ", what));
  }

  void plain(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) fail(mark, "an anchor; write the value out");
    if (!tag.empty() && tag != "?" && tag != "!")
      fail(mark, "the tag '" + tag.substr(0, 60) + "'; none is understood");
    if (++values_ > limits_.values) fail(mark, cat("more than ", limits_.values, " values"));
  }

  std::string current_key() const { return frames_.empty() ? std::string() : frames_.back().key; }

  void open(const YAML::Mark& mark, Frame frame) {
    if (static_cast<int>(frames_.size()) >= limits_.depth) {
      fail(mark, cat("nesting deeper than ", limits_.depth));
    }
    if (frame.is_map) {
      parents_.resize(frames_.size() + 1);
      parents_[frames_.size()] = frame.key;
    }
    frames_.push_back(std::move(frame));
  }

  void scalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
              const std::string& text) {
    plain(mark, tag, anchor);
    if (frames_.empty()) {
      if (!text.empty()) fail(mark, "a plain value; the file's top level is a mapping of groups");
      return;
    }
    Frame& top = frames_.back();
    if (top.is_map && !top.has_key) {
      if (text.empty() || text == "<<" || text.size() > 200)
        fail(mark, "the key '" + text.substr(0, 60) + "'");
      const std::string& parent = parents_[frames_.size() - 1];
      top.key = parent.empty() ? text : parent + "." + text;
      top.has_key = true;
      top.line = line(mark);
      const auto [first, is_new] = lines_.emplace(top.key, top.line);
      if (!is_new)
        fail(mark, cat("'", top.key, "' a second time; it stands in line ", first->second, " already"));
      return;
    }
    store({text, tag == "!", false, {}}, line(mark));
  }

  void store(Value value, int at) {
    Frame& top = frames_.back();
    if (top.is_map) {
      settings_.push_back({top.key, std::move(value), cat(name_, ":", at), false});
      top.has_key = false;
    } else {
      top.list.items.push_back(std::move(value));
    }
  }

  const YamlLimits limits_;
  const std::string name_;
  bool started_ = false;
  int values_ = 0;
  std::vector<Frame> frames_;
  std::vector<std::string> parents_;  // per depth: the dotted key of the map that is open there
  std::map<std::string, int> lines_;
  std::vector<Setting> settings_;
};

}  // namespace

std::vector<Setting> parse_yaml(const std::string& text, const std::string& name, const YamlLimits& limits) {
  if (static_cast<std::int64_t>(text.size()) > limits.bytes) {
    throw ConfigError("", cat(name, ": found ", text.size(), " bytes, allowed: at most ", limits.bytes));
  }
  SettingsBuilder builder(name, limits);
  try {
    // yaml-cpp 0.7 takes a quote that is never closed for text up to the end of the file, unless the file
    // ends in it.
    std::istringstream stream(text.substr(0, text.find_last_not_of(" \t\r\n") + 1));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    throw ConfigError("", cat(name, ":", error.mark.line + 1, ": not valid YAML: ", error.msg));
  }
  return builder.take();
}

std::vector<Setting> read_yaml(const std::string& path) {
  std::string text;
  try {
    text = read_file(path, YamlLimits().bytes);
  } catch (const DataError& error) {
    throw ConfigError("", error.what());
  }
  return parse_yaml(text, path);
}

}  // namespace wan
