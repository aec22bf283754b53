#include "look.hpp"

#include <algorithm>

#include "bernstein/base/text.hpp"
#include "names.hpp"
#include "tree_files.hpp"

namespace bernstein::git {

Result<std::vector<port::TreeFile>> list_tree(const Layout& layout, const std::string& tree) {
  BERNSTEIN_TRY(const BareView view, open_bare_view(layout));
  BERNSTEIN_TRY(const Tree root, find_tree(view.repository.get(), tree));
  BERNSTEIN_TRY(const Files files, files_of(view.repository.get(), Oid(git_tree_id(root.get()))));
  std::map<std::string, bool> listed;
  for (const auto& [path, file] : files) {
    listed.emplace(path, file.mode == GIT_FILEMODE_COMMIT);
    for (std::size_t slash = path.rfind('/'); slash != std::string::npos; slash = path.rfind('/', slash - 1)) {
      if (!listed.emplace(path.substr(0, slash), true).second || slash == 0) break;
    }
  }
  std::vector<port::TreeFile> all;
  for (const auto& [path, directory] : listed) all.push_back({path, directory});
  return all;
}

namespace {

// The blob at a path; nothing when there is none.
Result<std::optional<Oid>> find_blob(git_repository* repository, const std::string& tree, const std::string& path) {
  BERNSTEIN_TRY(const Tree root, find_tree(repository, tree));
  git_tree_entry* raw = nullptr;
  const int code = git_tree_entry_bypath(&raw, root.get(), path.c_str());
  const TreeEntry entry(raw);
  if (code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC || path.empty()) return std::optional<Oid>();
  BERNSTEIN_TRY_VOID(check(code, "cannot look up '" + printable_path(path) + "'"));
  if (git_tree_entry_type(raw) != GIT_OBJECT_BLOB) return std::optional<Oid>();
  return std::optional(Oid(git_tree_entry_id(raw)));
}

}  // namespace

Result<std::string> read_file(const Layout& layout, const std::string& tree, const std::string& path) {
  BERNSTEIN_TRY(const BareView view, open_bare_view(layout));
  git_repository* repository = view.repository.get();
  BERNSTEIN_TRY(const std::optional<Oid> id, find_blob(repository, tree, path));
  if (!id) return Error{ErrorCode::not_found, "there is no file '" + printable_path(path) + "' in the tree"};
  BERNSTEIN_TRY(const Blob blob,
                make<Blob>("cannot read '" + printable_path(path) + "'", git_blob_lookup, repository, id->get()));
  return std::string(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                     static_cast<std::size_t>(git_blob_rawsize(blob.get())));
}

Result<std::string> blob_id(const Layout& layout, const std::string& tree, const std::string& path) {
  BERNSTEIN_TRY(const BareView view, open_bare_view(layout));
  BERNSTEIN_TRY(const std::optional<Oid> id, find_blob(view.repository.get(), tree, path));
  return id ? to_hex(*id) : std::string();
}

Result<std::vector<port::Ancestor>> history(const Layout& layout, const std::string& commit, std::size_t max) {
  BERNSTEIN_TRY(const BareView view, open_bare_view(layout));
  BERNSTEIN_TRY(Oid at, parse_oid(commit));
  std::vector<port::Ancestor> ancestors;
  while (ancestors.size() < max) {
    git_commit* raw = nullptr;
    const int code = git_commit_lookup(&raw, view.repository.get(), at.get());
    const Commit object(raw);
    if (code == GIT_ENOTFOUND && !ancestors.empty()) break;
    BERNSTEIN_TRY_VOID(check(code, "cannot read the commit " + to_hex(at)));
    const git_signature* author = git_commit_author(raw);
    const char* title = git_commit_summary(raw);
    ancestors.push_back({to_hex(at), to_hex(Oid(git_commit_tree_id(raw))),
                         printable_utf8(title == nullptr ? "" : title),
                         printable_utf8(author == nullptr || author->name == nullptr ? "" : author->name)});
    if (git_commit_parentcount(raw) == 0) break;
    at = Oid(git_commit_parent_id(raw, 0));
  }
  return ancestors;
}

Result<std::string> diff(const Layout& layout, const std::string& from, const std::string& to) {
  BERNSTEIN_TRY(const BareView view, open_bare_view(layout));
  git_repository* repository = view.repository.get();
  BERNSTEIN_TRY(const Tree old_tree, find_tree(repository, from));
  BERNSTEIN_TRY(const Tree new_tree, find_tree(repository, to));
  git_diff_options options = GIT_DIFF_OPTIONS_INIT;
  BERNSTEIN_TRY(const Diff changes, make<Diff>("cannot compare the trees", git_diff_tree_to_tree, repository,
                                               old_tree.get(), new_tree.get(), &options));
  git_diff_find_options find = GIT_DIFF_FIND_OPTIONS_INIT;
  find.flags = GIT_DIFF_FIND_RENAMES;
  BERNSTEIN_TRY_VOID(check(git_diff_find_similar(changes.get(), &find), "cannot look for renames"));
  Buffer text;
  BERNSTEIN_TRY_VOID(check(git_diff_to_buf(text.get(), changes.get(), GIT_DIFF_FORMAT_PATCH), "cannot print the diff"));
  return std::string(text.bytes());
}

}  // namespace bernstein::git
