/* A C program that asks heapgauge about itself, in exact mode: with an interval of 1 byte every
 * allocation is a sample, so the growth between two snapshots is the truth and not an estimate.
 *
 * Exit status 0 when heapgauge's figure is what the program knows it to be. */
#include <heapgauge/heapgauge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kNotes = 1000, kNoteBytes = 300 };

struct note {
  struct note* next;
  char text[kNoteBytes];
};

static struct note* add_note(struct note* list, int number) {
  struct note* const note = malloc(sizeof *note);
  if (note == NULL) return list;
  snprintf(note->text, sizeof note->text, "note %d", number);
  note->next = list;
  return note;
}

static int check(heapgauge_status status, const char* what) {
  if (status == HEAPGAUGE_OK) return 1;
  fprintf(stderr, "plain_c: %s: %s\n", what, heapgauge_status_text(status));
  return 0;
}

/* Live bytes and objects now; 0 when heapgauge can't say. */
static int measure(double* bytes, double* objects) {
  heapgauge_snapshot snapshot;
  memset(&snapshot, 0, sizeof snapshot);
  snapshot.size = sizeof snapshot;
  if (!check(heapgauge_take_snapshot(&snapshot, 3), "no snapshot")) return 0;
  *bytes = snapshot.live_bytes;
  *objects = snapshot.live_objects;
  for (size_t i = 0; i < snapshot.site_count; ++i) {
    const heapgauge_site* const site = &snapshot.sites[i];
    printf("  site %016llx  %10.0f bytes in %6.0f objects, called from %p\n",
           (unsigned long long)site->id, site->live_bytes, site->live_objects,
           site->frame_count > 0 ? site->frames[0] : NULL);
  }
  heapgauge_snapshot_free(&snapshot);
  return 1;
}

int main(void) {
  printf("heapgauge %s\n", heapgauge_version());
  if (!check(heapgauge_start(), "can't track")) return 1;
  if (!check(heapgauge_set_sample_interval(1), "can't set the interval")) return 1;

  double bytes_before = 0, objects_before = 0, bytes_after = 0, objects_after = 0;
  puts("before:");
  if (!measure(&bytes_before, &objects_before)) return 1;

  struct note* notes = NULL;
  for (int i = 0; i < kNotes; ++i) notes = add_note(notes, i);
  puts("after:");
  if (!measure(&bytes_after, &objects_after)) return 1;

  const double bytes = bytes_after - bytes_before;
  const double objects = objects_after - objects_before;
  const double true_bytes = (double)kNotes * sizeof(struct note);
  printf("grown by %.0f bytes in %.0f objects (true: %.0f in %d)\n", bytes, objects, true_bytes,
         kNotes);

  if (!check(heapgauge_write_report(), "no report")) return 1;
  printf("report in %s\n", heapgauge_report_directory());

  while (notes != NULL) {
    struct note* const next = notes->next;
    free(notes);
    notes = next;
  }
  if (bytes != true_bytes || objects != kNotes) {
    fprintf(stderr, "plain_c: the figures differ from what was allocated\n");
    return 1;
  }
  return 0;
}
