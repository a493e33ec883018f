#include "report/callsite.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "report/wrapper_names.h"

namespace heapgauge {
namespace {

Frame Named(const char* function, const char* module = "/opt/app/service",
            const char* file = nullptr) {
  Frame frame;
  frame.function = function;
  frame.module = module;
  if (file != nullptr) frame.file = file;
  return frame;
}

// Spellings as nm -C, addr2line and perf print them, from Debian 12 binaries.
TEST_CASE("real spellings of allocation wrappers are recognised", "[report][callsite]") {
  for (const char* name :
       {// C and C++ entry points
        "malloc", "calloc", "realloc", "reallocarray", "__libc_malloc", "__GI___libc_malloc",
        "memalign", "aligned_alloc", "posix_memalign", "valloc", "pvalloc", "strdup", "__strdup",
        "strndup", "__strndup", "asprintf", "__asprintf", "vasprintf", "__vasprintf_internal",
        "__vasprintf_chk", "getline", "getdelim", "_IO_getdelim", "open_memstream", "fopen",
        "fopen64", "__fopen_internal", "_IO_file_doallocate", "opendir",
        "operator new(unsigned long)", "operator new[](unsigned long)",
        "operator new(unsigned long, std::align_val_t)",
        "operator new(unsigned long, std::nothrow_t const&)",
        "operator new[](unsigned long, std::align_val_t, std::nothrow_t const&)",
        "malloc@@GLIBC_2.2.5", "malloc [clone .cold]", "_Znwm",
        // the C++ library
        "std::allocator<int>::allocate(unsigned long)",
        "std::__new_allocator<char>::allocate(unsigned long, void const*)",
        "__gnu_cxx::new_allocator<char>::allocate(unsigned long, void const*)",
        "std::allocator_traits<std::allocator<char> >::allocate(std::allocator<char>&, unsigned "
        "long)",
        "void std::vector<int, std::allocator<int> >::_M_realloc_insert<int "
        "const&>(__gnu_cxx::__normal_iterator<int*, "
        "std::vector<int, std::allocator<int> > >, int const&)",
        "std::_Vector_base<char, std::allocator<char> >::_M_allocate(unsigned long)",
        "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> "
        ">::_M_create(unsigned long&, "
        "unsigned long)",
        "void std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> "
        ">::_M_construct<char "
        "const*>(char const*, char const*, std::forward_iterator_tag)",
        "std::unique_ptr<app::Cart, std::default_delete<app::Cart> > std::make_unique<app::Cart, "
        "int>(int&&)",
        "std::shared_ptr<app::Cart> std::make_shared<app::Cart>()",
        "std::__shared_count<(__gnu_cxx::_Lock_policy)2>::__shared_count<app::Cart, "
        "std::allocator<void>>(app::Cart*&, "
        "std::_Sp_alloc_shared_tag<std::allocator<void> >)",
        "std::__detail::_Hashtable_alloc<std::allocator<std::__detail::_Hash_node<int, false> > "
        ">::_M_allocate_buckets("
        "unsigned long)",
        "std::_Rb_tree<int, int, std::_Identity<int>, std::less<int>, std::allocator<int> "
        ">::_M_get_node()",
        "std::ostream& std::operator<< <std::char_traits<char> >(std::ostream&, char const*)",
        "std::pmr::monotonic_buffer_resource::_M_new_buffer(unsigned long, unsigned long)",
        "std::__1::vector<int, std::__1::allocator<int> >::push_back(int&&)",
        "__cxa_allocate_exception",
        // C++ libraries with containers
        "absl::lts_20220623::container_internal::raw_hash_set<absl::lts_20220623::container_"
        "internal::"
        "FlatHashMapPolicy<int, int> >::resize(unsigned long)",
        "absl::lts_20220623::StrCat[abi:cxx11](absl::lts_20220623::AlphaNum const&)",
        "absl::InlinedVector<int, 4ul>::push_back(int)",
        "fmt::v9::detail::vformat_to<char>(fmt::v9::detail::buffer<char>&, "
        "fmt::v9::basic_string_view<char>)",
        "boost::container::vector<int>::priv_insert_forward_range_no_capacity(int*)",
        "boost::shared_ptr<app::A> boost::make_shared<app::A>()",
        "app::NodePool<app::Node>::allocate(unsigned long)",
        "app::Cart::operator new(unsigned long)",
        "app::ArenaResource::do_allocate(unsigned long, unsigned long)",
        // programs' own
        "xmalloc", "xcalloc", "xrealloc", "xstrdup", "xnmalloc", "xmemdup", "xzalloc", "emalloc",
        "Perl_safesysmalloc", "Perl_savepvn", "_obstack_newchunk", "sh_xmalloc", "AllocateHeap",
        "OPENSSL_sk_push", "os::malloc(unsigned long, MEMFLAGS, NativeCallStack const&)", "zmalloc",
        "zcalloc", "zrealloc", "zstrdup", "ztrymalloc_usable", "ztrymalloc_usable_internal",
        "zmalloc_usable", "_sdsnewlen", "sdscatlen", "sdsResize", "zcalloc_num", "g_malloc",
        "g_malloc0_n", "g_try_realloc", "g_strdup", "g_strdup_vprintf", "g_slice_alloc0",
        "g_hash_table_insert", "PyMem_Malloc", "PyMem_RawMalloc", "_PyMem_RawMalloc",
        "PyObject_Malloc", "_PyObject_Malloc", "_PyObject_GC_NewVar", "_PyObject_GC_New",
        "PyType_GenericAlloc", "sqlite3Malloc", "sqlite3MemMalloc", "sqlite3DbMallocRaw",
        "sqlite3DbMallocRawNN", "sqlite3MallocZero", "sqlite3_malloc64", "sqlite3DbStrDup",
        "sqlite3_mprintf", "mallocWithAlarm", "ngx_palloc", "ngx_pcalloc", "ngx_palloc_large",
        "palloc", "palloc0", "pg_malloc", "pstrdup", "AllocSetAlloc", "CRYPTO_malloc",
        "CRYPTO_zalloc", "OPENSSL_strdup", "av_mallocz", "uv__malloc", "apr_palloc", "apr_pcalloc",
        "apr_pstrdup", "xmlStrdup", "luaM_malloc_", "l_alloc", "git__calloc", "curl_dbg_malloc",
        "cJSON_strdup", "je_malloc", "imalloc", "mi_malloc_aligned", "tc_malloc",
        // Rust and Go
        "__rust_alloc", "__rdl_alloc",
        "alloc::raw_vec::RawVec<T,A>::reserve::do_reserve_and_handle::h0123456789abcdef",
        "alloc::alloc::alloc::h0123456789abcdef", "_cgo_2e7aa1b6f6e6_Cfunc__Cmalloc",
        "alloc::raw_vec::RawVec<T,A>::grow_one", "<alloc::vec::Vec<T>>::push",
        "<alloc::string::String as core::clone::Clone>::clone",
        "<&mut alloc::vec::Vec<u8> as std::io::Write>::write",
        "<T as alloc::slice::hack::ConvertVec>::to_vec", "core::ops::function::FnOnce::call_once",
        "runtime.cgocall",
        // too long to be demangled inside a host
        "_ZNSt8_Rb_treeINSt7__cxx1112basic_stringIcEE", "_ZSt11make_sharedIN4shop4CartEE",
        "_ZNKSt6vectorIiE", "_ZNSs6assignE", "_ZN9__gnu_cxx13new_allocatorIiE",
        "_ZNSaIiE8allocateEmPKv", "_ZZNSt6vectorIiE4growEvENKUlvE_clEv",
        "_ZThn16_NSt3__16vectorIiE", "_ZN4absl12lts_2022062318container_internal12raw_hash_setIiE",
        "_ZN5QHashIiiE6insertE", "_ZN3fmt2v96detail6formatIcEE"}) {
    INFO(name);
    CHECK(IsAllocationWrapper(Named(name)));
  }
}

TEST_CASE("functions that decide for themselves are no wrappers", "[report][callsite]") {
  for (const char* name : {"main",
                           "ApplyCoupon(Cart&, std::string const&)",
                           "leak_malloc",
                           "test_strdup",
                           "allocate",
                           "app::Allocate(int)",
                           "app::Table::allocate(int)",
                           "createObject",
                           "dictAddRaw",
                           "ngx_create_pool",
                           "ngx_http_create_request",
                           "_PyEval_EvalFrameDefault",
                           "PyDict_New",
                           "dict_new_presized",
                           "sqlite3BtreeOpen",
                           "AllocSetContextCreateInternal",
                           "std::unique_ptr<int> app::Make<int>(int)",
                           "void app::Fill<std::vector<int> >(std::vector<int>&)",
                           "app::Run()::{lambda()#1}::operator()() const",
                           "core::Init(int)",
                           "alloc::Plan(int)",
                           "stdx::Grow()",
                           "",
                           "malloc_stats_report",
                           "app::malloc_user()",
                           "strcat",
                           "operate",
                           "fmtmsg_user",
                           "xmalloc_test_driver",
                           "<shop::Cart as core::clone::Clone>::clone",
                           "<alloc::Plan>::run",
                           "shop::alloc::vec::fill",
                           "_ZN4shop5IndexISt6vectorIiSaIiEEE3AddEv",
                           "_ZN4shopSt",
                           "_ZNK4stdx4GrowEv",
                           "_ZL4growISt6vectorIiEEvv",
                           "_ZN12_GLOBAL__N_14growISt6vectorIiEEEvv",
                           "_ZN99999999999999999999a",
                           "_Z"}) {
    INFO(name);
    CHECK_FALSE(IsAllocationWrapper(Named(name)));
  }
}

TEST_CASE("the module or the header can tell where the name cannot", "[report][callsite]") {
  CHECK(IsAllocationWrapper(Named("", "/lib/x86_64-linux-gnu/libc.so.6")));
  CHECK(IsAllocationWrapper(Named("pthread_create", "/lib/x86_64-linux-gnu/libc.so.6")));
  CHECK(IsAllocationWrapper(Named("x", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30")));
  CHECK(IsAllocationWrapper(Named("x", "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2")));
  CHECK(IsAllocationWrapper(Named("_dl_new_object", "/lib64/ld-linux-x86-64.so.2")));
  CHECK_FALSE(IsAllocationWrapper(Named("x", "/usr/lib/libcrypto.so.3")));
  CHECK_FALSE(IsAllocationWrapper(Named("x", "/opt/libc.so.d/app")));
  CHECK(IsAllocationWrapper(
      Named("make_unique<Coupon>", "/opt/app", "/usr/include/c++/12/bits/unique_ptr.h")));
  CHECK(IsAllocationWrapper(
      Named("push_back", "/opt/app", "/usr/lib/llvm-14/include/c++/v1/vector")));
  CHECK_FALSE(IsAllocationWrapper(Named("push_back", "/opt/app", "/src/include/queue.h")));
  CHECK(IsAllocationWrapper(
      Named("grow_one", "/opt/app", "/rustc/598076/library/alloc/src/raw_vec/mod.rs")));
  CHECK(IsAllocationWrapper(
      Named("push", "/opt/app", "/usr/src/rustc-1.63.0/library/alloc/src/vec/mod.rs")));
  CHECK_FALSE(
      IsAllocationWrapper(Named("push", "/opt/app", "/home/a/library/alloc/src/vec/mod.rs")));
}

TEST_CASE("the call site is the first frame that decided", "[report][callsite]") {
  const std::vector<Frame> vector_growth = {
      Named("operator new(unsigned long)", "/usr/lib/libstdc++.so.6"),
      Named("std::__new_allocator<int>::allocate(unsigned long, void const*)"),
      Named("std::vector<int, std::allocator<int> >::push_back(int&&)"),
      Named("ApplyCoupon(Cart&)"), Named("main")};
  CHECK(CallsiteIndex(vector_growth) == 3);

  // std:: called the user's lambda back: the lambda is nearer the leaf.
  const std::vector<Frame> callback = {
      Named("strdup", "/lib/libc.so.6"), Named("app::Start()::{lambda()#1}::operator()() const"),
      Named("void std::__invoke_impl<void, app::Start()::{lambda()#1}>(std::__invoke_other)"),
      Named("execute_native_thread_routine", "/usr/lib/libstdc++.so.6"),
      Named("start_thread", "/lib/libc.so.6")};
  CHECK(CallsiteIndex(callback) == 1);

  const std::vector<Frame> all_wrappers = {Named("malloc"),
                                           Named("std::thread::_M_start_thread()")};
  CHECK(CallsiteIndex(all_wrappers) == 0);
  CHECK(CallsiteIndex({}) == 0);
}

}  // namespace
}  // namespace heapgauge
