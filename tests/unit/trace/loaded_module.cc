// Something to load.
extern "C" {
extern const char* const module_name;
const char* const module_name = LOADED_MODULE;
const char* module_code();
const char* module_code() { return module_name; }
}
