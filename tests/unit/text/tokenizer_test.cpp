#include "model/text/tokenizer.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

using Ids = std::vector<std::int32_t>;

// 385 pieces with byte fallback: 0 <pad>, 1 </s>, 2 <unk>, 3..258 the bytes.
const std::string sentencepiece_file = WAN_SOURCE_DIR "/tests/parity/cases/tokenizer/spiece.model";

class ModelFolder {
 public:
  ModelFolder() {
    make_folders(folder_ / "tokenizer");
    std::filesystem::copy_file(sentencepiece_file, file("spiece.model"));
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_ / ("tokenizer/" + name); }
  void write(const std::string& name, const std::string& content) const {
    write_file_atomically(file(name), content);
  }
  [[nodiscard]] Tokenizer load() const { return Tokenizer::from_model_folder(folder_.path()); }

 private:
  test::TemporaryFolder folder_;
};

TEST(tokenizer, ends_with_the_end_mark_and_cuts_to_the_limit) {
  const Tokenizer tokenizer = Tokenizer::from_sentencepiece(sentencepiece_file);
  EXPECT_EQ(tokenizer.ids(""), Ids{1});
  const Ids whole = tokenizer.ids(std::string(600, 'a'), 10000);
  const Ids cut = tokenizer.ids(std::string(600, 'a'));
  ASSERT_EQ(cut.size(), 512U);
  EXPECT_EQ(cut.back(), tokenizer.end_id());
  EXPECT_TRUE(std::equal(cut.begin(), cut.end() - 1, whole.begin()));
  EXPECT_EQ(tokenizer.ids("a red circle", 1), Ids{1});
  EXPECT_THROW((void)tokenizer.ids("a", 0), InternalError);
}

TEST(tokenizer, without_settings_the_usual_tokens_are_special_in_a_folder_only) {
  const ModelFolder folder;
  const Ids special = folder.load().ids("a</s>b<pad>");
  EXPECT_EQ(std::count(special.begin(), special.end(), 1), 2);
  EXPECT_EQ(std::count(special.begin(), special.end(), 0), 1);
  const Ids literal = Tokenizer::from_sentencepiece(sentencepiece_file).ids("a</s>b<pad>");
  EXPECT_EQ(std::count(literal.begin(), literal.end(), 1), 1);
}

// Expected ids: transformers 5.23 on the same folder.
TEST(tokenizer, follows_tokenizer_config) {
  const ModelFolder folder;
  folder.write("tokenizer_config.json",
               R"({"eos_token":"</s>","pad_token":{"content":"<pad>"},"unk_token":null,"extra_ids":3})");
  const Tokenizer tokenizer = folder.load();
  EXPECT_EQ(tokenizer.ids("a</s>b"), (Ids{259, 1, 264, 1}));
  EXPECT_EQ(tokenizer.ids("a </s> b"), (Ids{259, 1, 264, 1}));
  EXPECT_EQ(tokenizer.ids("<extra_id_0><extra_id_2>"), (Ids{387, 385, 1}));
  EXPECT_EQ(tokenizer.vocabulary_size(), 388);
}

TEST(tokenizer, follows_tokenizer_json_before_tokenizer_config) {
  const ModelFolder folder;
  folder.write("tokenizer_config.json", R"({"extra_ids":3})");
  folder.write("tokenizer.json", R"({"added_tokens":[{"id":400,"content":"<x>","lstrip":true,"rstrip":true},
      {"id":401,"content":"<x><x>"}],"model":{"type":"Unigram","byte_fallback":false}})");
  const Tokenizer tokenizer = folder.load();
  EXPECT_EQ(tokenizer.ids("\xE6\xBC\xA2\xE5\xAD\x97"), (Ids{260, 2, 1}));
  EXPECT_EQ(tokenizer.ids("a \t<x>  <x><x>"), (Ids{259, 400, 401, 1}));
  EXPECT_EQ(tokenizer.vocabulary_size(), 402);
  folder.write("tokenizer.json", R"({"model":{"type":"Unigram","byte_fallback":true}})");
  EXPECT_EQ(folder.load().ids("\xE6\xBC\xA2"), (Ids{260, 233, 191, 165, 1}));
}

TEST(tokenizer, names_the_file_that_is_missing_or_wrong) {
  EXPECT_THROW((void)Tokenizer::from_model_folder("/nowhere"), NoInputError);
  EXPECT_THROW((void)Tokenizer::from_sentencepiece(WAN_SOURCE_DIR "/LICENSE"), DataError);
  const ModelFolder folder;
  for (const std::string text : {R"({)", R"([])", R"({"model":{"type":"BPE"}})", R"({"model":{"type":3}})",
                                 R"({"model":{"type":"Unigram"},"added_tokens":[{"id":-1,"content":"x"}]})",
                                 R"({"model":{"type":"Unigram"},"added_tokens":[{"id":1}]})"}) {
    folder.write("tokenizer.json", text);
    EXPECT_THROW((void)folder.load(), DataError) << text;
  }
  std::filesystem::remove(folder.file("tokenizer.json"));
  for (const std::string text : {R"({"extra_ids":-1})", R"({"extra_ids":99999999999})", R"({"eos_token":7})",
                                 R"({"added_tokens_decoder":{"x":{"content":"y"}}})"}) {
    folder.write("tokenizer_config.json", text);
    EXPECT_THROW((void)folder.load(), DataError) << text;
  }
}

TEST(tokenizer, a_damaged_model_file_is_refused_or_still_tokenises) {
  const std::string whole = read_file(sentencepiece_file);
  const test::TemporaryFolder folder;
  for (std::size_t length = 0; length < whole.size(); length += whole.size() / 40) {
    write_file_atomically(folder / "cut", whole.substr(0, length));
    try {
      EXPECT_FALSE(Tokenizer::from_sentencepiece(folder / "cut").ids("a red circle").empty());
    } catch (const DataError&) {
    }
  }
}

}  // namespace
}  // namespace wan
