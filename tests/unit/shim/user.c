// What calls the allocator: by its table, and through a variable of its own.
int shim_take(void);
int shim_call(void);
int shim_call_variable(void);

int (*shim_variable)(void) = shim_take;
int shim_call(void) { return shim_take(); }
int shim_call_variable(void) { return shim_variable(); }
