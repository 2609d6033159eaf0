#include "convert/convert_job.hpp"

#include <cerrno>
#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "convert/draft_folder.hpp"
#include "convert/source.hpp"
#include "convert/targets.hpp"

namespace wan {
namespace {

ModelFormat wanted_format(const ConvertSource& source, ModelFormat wish) {
  if (wish != ModelFormat::automatic) return wish;
  return source.format == ModelFormat::diffusers ? ModelFormat::checkpoint : ModelFormat::diffusers;
}

Conversion plan(const ConvertSource& source, const ConvertOptions& options) {
  switch (wanted_format(source, options.to_format)) {
    case ModelFormat::diffusers:
      return to_diffusers(source, options);
    case ModelFormat::official:
      return to_official(source, options);
    default:
      return to_checkpoint(source, options);
  }
}

void require_space(const std::string& folder, std::int64_t needed) {
  const std::int64_t found = free_bytes(folder);
  if (found >= needed) return;
  throw IoError(folder, ENOSPC,
                cat("the result needs ", needed, " bytes (", human_bytes(static_cast<double>(needed)),
                    "), found ", found, " bytes free (", human_bytes(static_cast<double>(found)), ")"));
}

}  // namespace

std::string convert(const ConvertOptions& options) {
  require_absent(options.to);
  const ConvertSource source = open_source(options);
  const Conversion conversion = plan(source, options);
  std::string out = cat("from ", source.path, ": ", source.what, ", transformer of ",
                        source.config.num_layers, " blocks, width ", source.config.dim(), ", ",
                        amount_text(source.transformer), "\nto ", options.to, ": ", conversion.what, "\n");
  if (options.dry_run) return out + "nothing written (--dry-run)\n";
  DraftFolder draft(options.to);
  require_space(draft.path(), conversion.bytes);
  conversion.write(draft.path());
  draft.commit();
  return out;
}

}  // namespace wan
