#include "sample/prompt_list.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "model/text/unicode.hpp"

namespace wan {
namespace {

constexpr std::int64_t longest_file = std::int64_t{64} << 20;
/// The text encoder reads 512 tokens; few tokens stand for more than a few dozen bytes.
constexpr std::size_t longest_prompt = 1 << 16;
constexpr std::int64_t most_frames = 100001;

/// What a prompts file may say of one video.
struct Entry {
  std::string prompt;
  std::optional<std::string> negative_prompt;
  std::optional<std::uint64_t> seed;
  std::optional<FrameSize> size;
  std::optional<std::int64_t> frames;
};

/// Says what is wrong with a prompt, or nothing.
std::string trouble_with_text(const std::string& text) {
  if (text.size() > longest_prompt) return cat("found ", text.size(), " bytes, allowed: ", longest_prompt);
  if (unicode::encode_utf8(unicode::decode_utf8(text)) != text) return "found bytes that are not UTF-8";
  if (text.find('\0') != std::string::npos) return "found a zero byte";
  return {};
}

std::string trouble_with_frames(std::int64_t frames) {
  if (frames >= 1 && frames % 4 == 1 && frames <= most_frames) return {};
  return cat("found ", frames, " frames, allowed: 4n + 1, such as 1, 17 or 81");
}

std::string trouble_with_size(const FrameSize& size) {
  if (size.height >= 16 && size.width >= 16 && size.height % 16 == 0 && size.width % 16 == 0) return {};
  return cat("found ", to_text(size), ", allowed: multiples of 16");
}

/// Throws what is wrong with a member of an entry, if anything is.
void refuse(const std::string& key, const std::string& trouble) {
  if (!trouble.empty()) throw Error(ExitCode::data, cat("key '", key, "': ", trouble));
}

void read_member(const std::string& key, const Json& value, Entry& entry) {
  if (key == "prompt") {
    entry.prompt = value.as_string();
    refuse(key, trouble_with_text(entry.prompt));
  } else if (key == "negative_prompt") {
    entry.negative_prompt = value.as_string();
    refuse(key, trouble_with_text(*entry.negative_prompt));
  } else if (key == "seed") {
    if (!value.is_integer() || value.as_integer() < 0) {
      refuse(key, cat("found ", value.dump().substr(0, 60), ", allowed: a whole number >= 0"));
    }
    entry.seed = static_cast<std::uint64_t>(value.as_integer());
  } else if (key == "size") {
    entry.size = parse_frame_size(value.as_string());
    refuse(key, trouble_with_size(*entry.size));
  } else if (key == "frames") {
    entry.frames = value.as_integer();
    refuse(key, trouble_with_frames(*entry.frames));
  } else {
    const std::vector<std::string> known{"prompt", "negative_prompt", "seed", "size", "frames"};
    throw Error(ExitCode::data, cat("unknown key '", key.substr(0, 60), "', allowed: ", join(known, ", ")));
  }
}

Entry entry_from(const Json& object, const std::string& where) {
  try {
    Entry entry;
    for (const auto& [key, value] : object.as_object()) read_member(key, value, entry);
    if (entry.prompt.empty()) throw Error(ExitCode::data, "key 'prompt' is missing or empty");
    return entry;
  } catch (const Error& error) {
    throw DataError(where, error.what());
  }
}

Entry entry_of_line(std::string_view line, const std::string& where) {
  if (line.front() == '{') return entry_from(Json::parse(line, where), where);
  Entry entry;
  entry.prompt = std::string(line);
  if (const std::string trouble = trouble_with_text(entry.prompt); !trouble.empty()) {
    throw DataError(where, trouble);
  }
  return entry;
}

std::vector<Entry> entries_of_file(const std::string& path) {
  const std::string content = read_file(path, longest_file);
  std::string_view text = content;
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark) text.remove_prefix(byte_order_mark.size());
  std::vector<Entry> out;
  if (const std::string_view whole = trim(text); !whole.empty() && whole.front() == '[') {
    const Json list = Json::parse(whole, path);
    for (const Json& object : list.as_array()) {
      out.push_back(entry_from(object, cat(path, ", entry ", out.size() + 1)));
    }
    return out;
  }
  std::int64_t number = 0;
  for (const std::string& raw : split(text, '\n')) {
    ++number;
    if (const std::string_view line = trim(raw); !line.empty()) {
      out.push_back(entry_of_line(line, cat(path, ", line ", number)));
    }
  }
  return out;
}

std::vector<Entry> entries_of(const SampleOptions& options) {
  if (options.prompts_file) return entries_of_file(*options.prompts_file);
  std::vector<Entry> out;
  for (const std::string& prompt : options.prompts) {
    if (const std::string trouble = trouble_with_text(prompt); !trouble.empty()) {
      throw UsageError(cat("--prompts: prompt ", out.size() + 1, ": ", trouble));
    }
    Entry entry;
    entry.prompt = prompt;
    out.push_back(std::move(entry));
  }
  return out;
}

/// The value of a list flag for entry i: the list has one value for all, or one for each.
template <class T>
const T& value_for(const std::vector<T>& values, std::size_t i, std::size_t count, const char* flag) {
  if (values.size() != 1 && values.size() != count) {
    throw UsageError(
        cat(flag, ": found ", values.size(), " values for ", count, " prompts, allowed: 1 or ", count));
  }
  return values.size() == 1 ? values.front() : values[i];
}

void check_flag(const char* flag, const std::string& trouble) {
  if (!trouble.empty()) throw UsageError(cat(flag, ": ", trouble));
}

}  // namespace

std::vector<VideoRequest> video_requests(const SampleOptions& options, std::uint64_t base_seed,
                                         const std::optional<FrameSize>& trained_size) {
  const std::vector<Entry> entries = entries_of(options);
  if (entries.empty()) throw DataError(options.prompts_file.value_or("--prompts"), "holds no prompt");
  check_flag("--negative_prompt", trouble_with_text(options.negative_prompt));
  std::vector<FrameSize> sizes = options.sizes;
  if (sizes.empty() && trained_size) sizes.push_back(*trained_size);
  std::vector<VideoRequest> out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    VideoRequest request;
    request.prompt = entry.prompt;
    request.negative_prompt = entry.negative_prompt.value_or(options.negative_prompt);
    request.seed = entry.seed.value_or(base_seed + i);
    if (!entry.size && sizes.empty()) {
      throw UsageError("--sizes: found none, and the weights do not tell which size they were trained at");
    }
    request.size = entry.size ? *entry.size : value_for(sizes, i, entries.size(), "--sizes");
    request.frames =
        entry.frames ? *entry.frames : value_for(options.frame_nums, i, entries.size(), "--frame_nums");
    check_flag("--sizes", trouble_with_size(request.size));
    check_flag("--frame_nums", trouble_with_frames(request.frames));
    out.push_back(std::move(request));
  }
  return out;
}

}  // namespace wan
