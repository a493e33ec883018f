#include "report/wrapper_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>
#include <string>
#include <utility>

#include "base/basename.h"
#include "report/function_name.h"
#include "report/mangled_name.h"

namespace heapgauge {
namespace {

using std::string_view;

// Tables, not one name a line.
// clang-format off

// Shared libraries, by the start of their file name.
constexpr string_view kModules[] = {
    "ld-2.", "ld-linux", "ld-musl", "libc++.so", "libc++abi", "libc-2.", "libc.so", "libdl-2.",
    "libdl.so", "libgcc_s", "libheapgauge", "libjemalloc", "libm-2.", "libm.so", "libmimalloc",
    "libnss_", "libpthread", "libresolv", "librpmalloc", "librt-2.", "librt.so", "libsnmalloc",
    "libstdc++", "libtcmalloc",
};

// C++ (and legacy Rust) names, by the start of the qualified name without an inline version
// namespace: containers, strings, smart pointers and formatters, which allocate because their
// caller wanted a value.
constexpr string_view kNamespaces[] = {
    "Eigen::internal::", "QArrayData::", "QByteArray::", "QHash<", "QHashData::", "QList<",
    "QListData::", "QMap<", "QMapDataBase::", "QString::", "QTypedArrayData<", "QVector<",
    "WTF::", "__cxa_allocate_exception", "__cxa_thread_atexit", "__cxxabiv1::", "__gnu_cxx::",
    "absl::Cord::", "absl::FixedArray<", "absl::InlinedVector<", "absl::StrAppend",
    "absl::StrCat", "absl::StrFormat", "absl::StrJoin", "absl::Substitute",
    "absl::base_internal::LowLevelAlloc", "absl::btree_map<", "absl::btree_set<",
    "absl::container_internal::", "absl::cord_internal::", "absl::flat_hash_map<",
    "absl::flat_hash_set<", "absl::inlined_vector_internal::", "absl::make_unique",
    "absl::node_hash_map<", "absl::node_hash_set<", "absl::str_format_internal::",
    "absl::strings_internal::", "base::allocator::", "boost::alignment::",
    "boost::allocate_shared", "boost::circular_buffer<", "boost::container::",
    "boost::detail::shared_count", "boost::detail::sp_", "boost::make_shared",
    "boost::make_unique", "boost::multi_index::", "boost::pool<", "boost::shared_ptr<",
    "boost::unordered::", "boost::unordered_map<", "boost::unordered_set<", "fmt::", "folly::F14",
    "folly::IOBuf::create", "folly::basic_fbstring<", "folly::detail::", "folly::f14::",
    "folly::fbstring_core<", "folly::fbvector<", "folly::small_vector<",
    "google::protobuf::Arena::", "google::protobuf::RepeatedField<",
    "google::protobuf::RepeatedPtrField<", "google::protobuf::internal::",
    "llvm::BumpPtrAllocatorImpl", "llvm::DenseMap", "llvm::SmallVector", "llvm::StringMap",
    "nlohmann::", "os::malloc", "os::realloc", "os::strdup", "std::", "tcmalloc::",
    "v8::internal::Malloced",
};

// Exact C names that the pattern of IsVerb() does not cover.  Sorted.
constexpr string_view kExact[] = {
    "AllocSetAlloc", "AllocSetRealloc", "AllocateHeap", "BUF_MEM_grow", "BUF_MEM_grow_clean",
    "CRYPTO_memdup", "MemoryContextAlloc", "MemoryContextAllocExtended",
    "MemoryContextAllocHuge", "MemoryContextAllocZero", "MemoryContextAllocZeroAligned",
    "MemoryContextStrdup", "OPENSSL_LH_insert", "OPENSSL_LH_new", "OPENSSL_sk_dup",
    "OPENSSL_sk_insert", "OPENSSL_sk_new", "OPENSSL_sk_new_null", "OPENSSL_sk_new_reserve",
    "OPENSSL_sk_push", "Perl_Slab_Alloc", "Perl_safesyscalloc",
    "Perl_safesysmalloc", "Perl_safesysrealloc", "Perl_savepv", "Perl_savepvn",
    "Perl_savesharedpv", "Perl_savesharedpvn", "Perl_sv_grow", "PyType_GenericAlloc",
    "ReallocateHeap", "_PyObject_New", "_PyObject_NewVar", "_PyType_AllocNoTrack", "_Znam",
    "_Znwm", "__fopen_internal", "__getdelim", "__newlocale", "__opendir", "__rdl_alloc",
    "__rdl_alloc_zeroed", "__rdl_realloc", "__rg_alloc", "__rg_alloc_zeroed", "__rg_realloc",
    "__rust_alloc", "__rust_alloc_zeroed", "__rust_realloc", "_cgo_cmalloc", "_objalloc_alloc",
    "_obstack_begin", "_obstack_newchunk", "_sdsMakeRoomFor", "_sdsnewlen", "aligned_alloc",
    "alloc_perturb", "allocator_alloc", "apr_allocator_alloc", "apr_psprintf", "apr_pstrcat",
    "apr_pstrmemdup", "dbMallocRawFinish", "dbReallocFinish", "event_mm_malloc_", "fdopen",
    "fopen", "fopen64", "freopen", "gc_alloc", "get_current_dir_name", "getcwd", "getdelim",
    "getline", "imalloc", "imalloc_body", "isc__mem_get", "isc__mempool_get", "l_alloc",
    "luaM_growaux_", "luaM_malloc_", "luaM_realloc_", "luaM_saferealloc_", "luaM_shrinkvector",
    "mallocWithAlarm", "malloc_default", "memalign", "ngx_alloc", "ngx_array_push",
    "ngx_array_push_n", "ngx_list_push", "ngx_memalign", "ngx_palloc", "ngx_palloc_block",
    "ngx_palloc_large", "ngx_pcalloc", "ngx_pmemalign", "ngx_pnalloc", "ngx_prealloc",
    "ngx_pstrdup", "objalloc_create", "open_memstream", "open_wmemstream", "opendir", "palloc",
    "palloc0", "palloc_extended", "pcache1Alloc", "popen", "posix_memalign", "pvalloc",
    "realpath", "repalloc", "runtime.asmcgocall", "runtime.cgocall", "scandir",
    "sdsMakeRoomFor", "sdsMakeRoomForNonGreedy", "sdsRemoveFreeSpace", "sdsResize", "sdscat",
    "sdscatfmt", "sdscatlen", "sdscatprintf", "sdscatsds", "sdscatvprintf", "sdsdup",
    "sdsempty", "sdsfromlonglong", "sdsgrowzero", "sdsnew", "sdsnewlen", "sdstrynewlen",
    "setvbuf", "sh_xmalloc", "sh_xrealloc", "sqlite3DbReallocOrFree", "sqlite3DbSpanDup",
    "sqlite3StrAccumEnlarge", "sqlite3_mprintf", "sqlite3_str_append", "sqlite3_vmprintf",
    "tempnam", "valloc", "wcsdup", "x2nrealloc", "x2realloc",
};

// Other C names, by their start.
constexpr string_view kPrefixes[] = {
    "PyMem_", "PyObject_Calloc", "PyObject_GC_New", "PyObject_Malloc", "PyObject_Realloc", "_IO_",
    "_PyMem_", "_PyObject_Calloc", "_PyObject_GC_", "_PyObject_Malloc", "_PyObject_Realloc",
    "__GI_", "__interceptor_", "__libc_", "_dl_allocate", "_emalloc", "_mi_", "_rjem_",
    "g_array_", "g_byte_array_", "g_hash_table_", "g_list_", "g_malloc", "g_memdup",
    "g_ptr_array_", "g_queue_push", "g_slice_", "g_slist_", "g_strconcat", "g_strdup_",
    "g_string_", "g_strjoin", "g_strsplit", "g_tree_insert", "g_try_malloc", "je_", "mi_",
    "pymalloc_", "tc_malloc", "tc_new", "utstring_", "zend_mm_",
};

// <prefix><verb><suffix>, underscores in front and case ignored: xmalloc, zcalloc,
// ztrymalloc_usable_internal, sqlite3DbMallocRawNN, pg_strdup, OPENSSL_malloc, xmlStrdup,
// av_mallocz, git__calloc.  Prefixes are listed, not guessed: leak_malloc() of a program under test
// is no wrapper.
constexpr string_view kVerbs[] = {
    "reallocarray", "reallocf", "realloc", "malloc", "calloc", "zalloc", "memalign", "strndup",
    "strdup", "memdup", "vasprintf", "asprintf", "aligned_alloc", "nmalloc", "pcalloc", "pstrdup",
    "palloc", "strcat",
};
constexpr string_view kVerbPrefixes[] = {
    "apr_", "av_", "bson_", "checked_", "cjson_", "ck", "ck_", "crypto_", "curl_", "curl_c",
    "curl_dbg_", "dbus_", "do_", "ev_", "g_", "g_try_", "git__", "isc_mem_", "js_", "json_",
    "mbedtls_", "mem_", "must_", "my_", "mysql_", "nss_", "openssl_", "os_", "pg_", "php_",
    "port_", "pr_", "rte_", "safe", "safe_", "sqlite3", "sqlite3_", "sqlite3db", "sqlite3mem",
    "tc_", "tor_", "try", "try_", "util_", "uv__", "wrap_", "xml", "xn", "xx", "ztry",
};
constexpr string_view kVerbSuffixes[] = {
    "", "0", "64", "_", "_array", "_array_or_die", "_chk", "_impl", "_internal", "_n", "_num",
    "_or_die", "_safe", "_usable", "_usable_internal", "_wrapper", "_zero", "n", "raw", "rawnn",
    "z", "zero",
};

// Rust's own libraries, by crate: a C++ namespace may have the crate's name, hardly both.
constexpr string_view kRustAllocModules[] = {
    "alloc", "borrow", "boxed", "collections", "ffi", "fmt", "raw_vec", "rc", "slice", "str",
    "string", "sync", "task", "vec",
};
constexpr string_view kRustCoreModules[] = {
    "alloc", "array", "cell", "char", "clone", "cmp", "convert", "default", "error", "ffi", "fmt",
    "hash", "intrinsics", "iter", "marker", "mem", "num", "ops", "option", "panicking", "pin",
    "ptr", "result", "slice", "str", "sync", "task", "time",
};

// clang-format on

constexpr bool IsSorted(std::span<const string_view> table) {
  return std::is_sorted(table.begin(), table.end());
}
static_assert(IsSorted(kExact));

bool StartsWithAny(string_view text, std::span<const string_view> table) {
  return std::any_of(table.begin(), table.end(),
                     [text](string_view start) { return text.starts_with(start); });
}

bool Contains(std::span<const string_view> table, string_view text) {
  return std::find(table.begin(), table.end(), text) != table.end();
}

std::string Lower(string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool IsVerb(string_view name) {
  name.remove_prefix(std::min(name.find_first_not_of('_'), name.size()));
  const std::string lower = Lower(name);
  for (const string_view verb : kVerbs) {
    const size_t at = lower.find(verb);
    if (at == std::string::npos) continue;
    const string_view prefix = string_view(lower).substr(0, at);
    const string_view suffix = string_view(lower).substr(at + verb.size());
    // A single letter in front is a habit of its own: xmalloc, zmalloc, emalloc, vstrdup.  "strcat"
    // alone copies.
    const bool known_prefix =
        prefix.empty() ? verb != "strcat" : prefix.size() == 1 || Contains(kVerbPrefixes, prefix);
    if (known_prefix && Contains(kVerbSuffixes, suffix)) return true;
  }
  return false;
}

// "ns::lts_20220623::name" -> "ns::name": Abseil's inline version namespace.
std::string WithoutVersion(string_view name) {
  std::string result(name);
  const size_t at = result.find("::lts_");
  const size_t end = at == std::string::npos ? at : result.find("::", at + 2);
  if (end != std::string::npos) result.erase(at, end - at);
  return result;
}

// "alloc::vec::Vec" is Rust's; "alloc::Plan" may be anybody's.
bool IsInRustLibrary(string_view name) {
  if (name.starts_with("hashbrown::")) return true;
  for (const auto& [crate, modules] :
       {std::pair<string_view, std::span<const string_view>>{"alloc::", kRustAllocModules},
        {"core::", kRustCoreModules}}) {
    if (!name.starts_with(crate)) continue;
    const string_view rest = name.substr(crate.size());
    return Contains(modules, rest.substr(0, rest.find("::")));
  }
  return false;
}

// As mangled ("alloc::alloc::alloc::h0123456789abcdef", "_$LT$alloc..vec..Vec") or as people read
// it: "<alloc::vec::Vec<T> as core::clone::Clone>::clone".
bool IsRustLibrary(string_view name) {
  const size_t hash = name.rfind("::h");
  if (hash != string_view::npos && name.size() - hash == 19) {
    return name.starts_with("alloc::") || name.starts_with("core::") ||
           name.starts_with("hashbrown::") || name.starts_with("<alloc::") ||
           name.starts_with("_$LT$alloc..") || name.starts_with("__rust");
  }
  if (!name.starts_with('<')) return IsInRustLibrary(name);
  name.remove_prefix(name.find_first_not_of("<&[*"));
  for (const string_view word : {"mut ", "const "}) {
    if (name.starts_with(word)) name.remove_prefix(word.size());
  }
  if (name.starts_with("std::") || IsInRustLibrary(name)) return true;
  // "<T as alloc::slice::hack::ConvertVec>::to_vec": of no type in particular.
  const size_t trait = name.find(" as ");
  return trait != string_view::npos && name.substr(0, trait).find("::") == string_view::npos &&
         (name.substr(trait + 4).starts_with("std::") || IsInRustLibrary(name.substr(trait + 4)));
}

// A class's own operator new, and allocate() of what calls itself an allocator, arena, pool or
// memory resource.
bool IsAllocatorMember(string_view name) {
  for (const string_view member : {"operator new", "operator new[]"}) {
    if (name.ends_with(member) &&
        (name.size() == member.size() || name.ends_with("::" + std::string(member)))) {
      return true;
    }
  }
  for (const string_view member : {"::allocate", "::do_allocate", "::allocate_bytes"}) {
    if (!name.ends_with(member)) continue;
    const std::string owner = Lower(name.substr(0, name.size() - member.size()));
    for (const char* kind : {"alloc", "arena", "pool", "resource"}) {
      if (owner.find(kind) != std::string::npos) return true;
    }
  }
  return false;
}

}  // namespace

bool IsWrapperModule(string_view path) { return StartsWithAny(Basename(path), kModules); }

bool IsWrapperFile(string_view path) {
  // Both libstdc++ and libc++ install there.
  if (path.find("/include/c++/") != string_view::npos) return true;
  // "/rustc/<commit>/library/alloc/src/raw_vec.rs", "/usr/src/rustc-1.63.0/library/..."
  if (path.find("/rustc") == string_view::npos || !path.ends_with(".rs")) return false;
  for (const string_view crate : {"alloc", "core", "std"}) {
    if (path.find("/library/" + std::string(crate) + "/src/") != string_view::npos) return true;
  }
  return false;
}

bool IsWrapperName(string_view symbol) {
  string_view name = QualifiedName(symbol);
  if (name.empty()) return false;
  if (name.starts_with("_Z")) {
    if (const std::string scope = WithoutVersion(MangledScope(name)); !scope.empty()) {
      return StartsWithAny(scope, kNamespaces);
    }
  }
  if (name.starts_with("::")) name.remove_prefix(2);
  if (name.find("::") == string_view::npos && !name.starts_with("operator ")) {
    return std::binary_search(std::begin(kExact), std::end(kExact), name) ||
           StartsWithAny(name, kPrefixes) || StartsWithAny(name, kNamespaces) || IsVerb(name) ||
           (name.starts_with("_cgo_") && name.ends_with("_Cfunc__Cmalloc"));
  }
  return StartsWithAny(WithoutVersion(name), kNamespaces) || IsRustLibrary(name) ||
         IsAllocatorMember(name);
}

}  // namespace heapgauge
