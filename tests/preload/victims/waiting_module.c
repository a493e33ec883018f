/* A module whose constructor waits for another thread of the host, which allocates before it answers. */
extern void host_wait_for_helper(void);
__attribute__((constructor)) static void arrive(void) { host_wait_for_helper(); }
