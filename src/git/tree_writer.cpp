#include "tree_writer.hpp"

#include "bernstein/failpoint/failpoint.hpp"
#include "names.hpp"

namespace bernstein::git {
namespace {

constexpr int k_depth_max = 1000;

class Writer {
 public:
  explicit Writer(const BareView& view) : view_(view) {}

  Status write(const Oid& id, const std::string& prefix, const Fd& directory, int depth) {
    if (depth > k_depth_max) return Error{ErrorCode::environment, "the tree is nested too deeply"};
    BERNSTEIN_TRY(const Tree tree,
                  make<Tree>("cannot read the tree " + to_hex(id), git_tree_lookup, view_.repository.get(), id.get()));
    for (std::size_t i = 0; i < git_tree_entrycount(tree.get()); ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
      BERNSTEIN_TRY_VOID(write_entry(entry, prefix, directory, depth));
    }
    return Ok{};
  }

  WrittenFiles take() { return std::move(files_); }

 private:
  Status write_entry(const git_tree_entry* entry, const std::string& prefix, const Fd& directory, int depth) {
    const std::string name = git_tree_entry_name(entry);
    const std::string path = prefix + name;
    if (is_forbidden_name(name)) {
      return Error{ErrorCode::corrupt, "the tree has a file '" + printable_path(path) + "', which git forbids"};
    }
    WrittenFile file{.entry = {git_tree_entry_id(entry), git_tree_entry_filemode(entry)}};
    switch (file.entry.mode) {
      case GIT_FILEMODE_TREE:
      case GIT_FILEMODE_COMMIT: {
        if (::mkdirat(directory.get(), name.c_str(), 0777) != 0) return file_fault("cannot make the directory", path);
        const Fd below = open_directory_at(directory.get(), name.c_str());
        if (!below) return file_fault("cannot open the directory", path);
        if (file.entry.mode == GIT_FILEMODE_TREE) return write(file.entry.id, path + "/", below, depth + 1);
        file.stat = stat_at(directory.get(), name.c_str()).value_or(file.stat);
        break;
      }
      case GIT_FILEMODE_LINK:
      case GIT_FILEMODE_BLOB:
      case GIT_FILEMODE_BLOB_EXECUTABLE: {
        BERNSTEIN_TRY(file.stat, write_tree_file(view_, directory, name, file.entry, path));
        break;
      }
      case GIT_FILEMODE_UNREADABLE:
        return Error{ErrorCode::corrupt, "the tree has a file '" + printable_path(path) + "' of an unknown kind"};
    }
    files_.emplace(path, file);
    BERNSTEIN_FAILPOINT("git.write_tree_files.after_file");
    return Ok{};
  }

  const BareView& view_;
  WrittenFiles files_;
};

}  // namespace

Result<struct ::stat> write_tree_file(const BareView& view, const Fd& directory, const std::string& name,
                                      const FileEntry& entry, const std::string& path) {
  if (entry.mode == GIT_FILEMODE_LINK) {
    BERNSTEIN_TRY(const Blob blob,
                  make<Blob>("cannot read " + path, git_blob_lookup, view.repository.get(), entry.id.get()));
    const std::string target(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                             static_cast<std::size_t>(git_blob_rawsize(blob.get())));
    return link_new(directory.get(), name, target);
  }
  BERNSTEIN_TRY(const std::string bytes, file_bytes(view, entry.id, path));
  return write_new(directory.get(), name, bytes, entry.mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0777 : 0666);
}

Result<WrittenFiles> write_tree_files(const BareView& view, const Oid& tree, const Fd& directory) {
  Writer writer(view);
  BERNSTEIN_TRY_VOID(writer.write(tree, "", directory, 0));
  return writer.take();
}

Status load_attributes(const BareView& view, const Files& files) {
  constexpr std::string_view k_name = ".gitattributes";
  for (const auto& [path, file] : files) {
    if (!path.ends_with(k_name) || file.mode == GIT_FILEMODE_COMMIT || file.mode == GIT_FILEMODE_LINK) continue;
    if (path.size() > k_name.size() && path[path.size() - k_name.size() - 1] != '/') continue;
    git_index_entry entry{};
    entry.id = file.id.id;
    entry.mode = file.mode;
    entry.path = path.c_str();
    BERNSTEIN_TRY_VOID(check(git_index_add(view.index.get(), &entry), "cannot read the attributes in " + path));
  }
  return Ok{};
}

Result<std::string> file_bytes(const BareView& view, const Oid& id, const std::string& path) {
  const std::string what = "cannot read '" + printable_path(path) + "'";
  BERNSTEIN_TRY(const Blob blob, make<Blob>(what, git_blob_lookup, view.repository.get(), id.get()));
  BERNSTEIN_TRY(const FilterList filters,
                make<FilterList>(what, git_filter_list_load, view.repository.get(), blob.get(), path.c_str(),
                                 GIT_FILTER_TO_WORKTREE, static_cast<std::uint32_t>(GIT_FILTER_ALLOW_UNSAFE)));
  if (filters == nullptr) {
    return std::string(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                       static_cast<std::size_t>(git_blob_rawsize(blob.get())));
  }
  Buffer buffer;
  BERNSTEIN_TRY_VOID(check(git_filter_list_apply_to_blob(buffer.get(), filters.get(), blob.get()), what));
  return std::string(buffer.bytes());
}

Result<std::string> stored_bytes(git_repository* repository, std::string bytes, const std::string& path) {
  const std::string what = "cannot convert '" + printable_path(path) + "'";
  BERNSTEIN_TRY(const FilterList filters,
                make<FilterList>(what, git_filter_list_load, repository, static_cast<git_blob*>(nullptr), path.c_str(),
                                 GIT_FILTER_TO_ODB, static_cast<std::uint32_t>(GIT_FILTER_ALLOW_UNSAFE)));
  if (filters == nullptr) return bytes;
  Buffer converted;
  BERNSTEIN_TRY_VOID(
      check(git_filter_list_apply_to_buffer(converted.get(), filters.get(), bytes.data(), bytes.size()), what));
  return std::string(converted.bytes());
}

}  // namespace bernstein::git
