// Length buckets: `size N = 32 | 64, T = 48 | 96`. Each is one more entry that trains, with sizes of its own; everything
// else, evaluations too, has the sizes of the last one, which holds every record. So nothing but the order of the batches
// depends on how the lengths are divided.
#include "frontend/TrainBlock.h"

namespace heddle {
using namespace ast;

namespace {

constexpr size_t kMost = 16; // each is compiled by itself

const char *const kHelp = "a bucket is one size of each: `size N = 32 | 64, T = 48 | 96`";

/// What is wrong with one dim's sizes, if anything: an error, H0417.
Diagnostic *wrongSizes(const SizeStmt::Entry &entry, bool isLength, Elaborator &el) {
  if (entry.sizes.size() > kMost)
    return &el.error(Code::H0417, entry.span, fmt::format("{} length buckets, where at most {} can be", entry.sizes.size(), kMost));
  for (size_t i = 1; i < entry.sizes.size() && isLength; ++i) {
    auto *before = entry.sizes[i - 1]->as<IntLiteral>(), *size = entry.sizes[i]->as<IntLiteral>();
    if (!before || !size) // reported by readSizes
      return nullptr;
    if (size->value <= before->value)
      return &el.error(Code::H0417, entry.sizes[i]->span, "the lengths of buckets grow from one to the next")
                  .label(entry.sizes[i - 1]->span, "the one before");
  }
  return nullptr;
}

} // namespace

std::vector<Bucket> readBuckets(const Train &block, const DataDeclaration &data, Elaborator &el, const BuildSettings &settings) {
  auto named = [](const std::vector<Ident> &dims, const Ident &dim) {
    return llvm::any_of(dims, [&](const Ident &other) { return other.name == dim.name; });
  };
  std::vector<const SizeStmt::Entry *> entries;
  bool anyLength = false, oneLength = false; // with several sizes; with one that `--set` says
  for (const StmtPtr &stmt : block.body)
    if (auto *size = stmt->as<SizeStmt>())
      for (const SizeStmt::Entry &entry : size->entries) {
        bool set = settings.set.count(entry.dim.name), isLength = named(data.lengths, entry.dim);
        if (entry.sizes.size() < 2)
          continue;
        (set ? oneLength : anyLength) |= isLength;
        if (!set)
          entries.push_back(&entry);
      }
  if (entries.empty() || data.kind.empty())
    return {};
  auto refuse = [](Diagnostic &d, const std::string &help) {
    d.help(help);
    return std::vector<Bucket>();
  };
  std::string lengths;
  for (const Ident &dim : data.lengths)
    lengths += (lengths.empty() ? "`" : " and `") + dim.name + "`";
  for (const SizeStmt::Entry *entry : entries) {
    const Ident &dim = entry->dim;
    if (data.lengths.empty())
      return refuse(el.error(Code::H0417, entry->span,
                             fmt::format("`{}` has one size: what `{}` reads has no lengths to divide by", dim.name, data.kind)),
                    "give one size; there are length buckets of `labelled` and `pairs`");
    bool isLength = named(data.lengths, dim);
    if (!isLength && data.fields[0].dims[0].name != dim.name)
      return refuse(el.error(Code::H0417, entry->span,
                             fmt::format("`{}` has one size: it is no length of the records of `{}`", dim.name, data.kind)),
                    fmt::format("give it one size; the buckets of `{}` are of {}", data.kind, lengths));
    if (Diagnostic *wrong = wrongSizes(*entry, isLength, el))
      return refuse(*wrong, kHelp);
    if (entry->sizes.size() != entries[0]->sizes.size())
      return refuse(el.error(Code::H0417, entry->span, fmt::format("`{}` has {} sizes, but `{}` has {}", dim.name, entry->sizes.size(),
                                                                   entries[0]->dim.name, entries[0]->sizes.size()))
                        .label(entries[0]->span, "the other one"),
                    kHelp);
  }
  if (oneLength && !anyLength) // the batch has its last size
    return {};
  if (!anyLength)
    return refuse(el.error(Code::H0417, entries[0]->span,
                           fmt::format("`{}` has one size, as long as there are no length buckets", entries[0]->dim.name)),
                  fmt::format("give one size, or several to {}, too", lengths));
  if (data.all)
    return refuse(el.error(Code::H0417, *data.all, "`batch = all` reads all records at once, of whatever length")
                      .label(entries[0]->span, "length buckets"),
                  "leave out one of the two");
  std::vector<Bucket> buckets(entries[0]->sizes.size());
  for (auto [i, bucket] : llvm::enumerate(buckets))
    for (const SizeStmt::Entry *entry : entries)
      if (auto *size = entry->sizes[i]->as<IntLiteral>()) {
        bucket.sizes[entry->dim.name] = size->value;
        bucket.name += fmt::format(".{}{}", entry->dim.name, size->value);
      }
  return buckets;
}

} // namespace heddle
