// What java_work.py runs: threads, garbage, direct buffers (the JVM's own malloc), compression, a child process.
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

public class Work {
  static long one(int seed) {
    TreeMap<String, Integer> words = new TreeMap<>();
    for (int i = 0; i < 20000; ++i) words.merge("word" + (i * seed % 997), 1, Integer::sum);
    CRC32 sum = new CRC32();
    sum.update(words.toString().getBytes());
    byte[] packed = new byte[1 << 20];
    Deflater deflater = new Deflater(6);
    deflater.setInput(words.toString().getBytes());
    deflater.finish();
    sum.update(packed, 0, deflater.deflate(packed));
    deflater.end();
    for (int i = 0; i < 50; ++i) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(10000 + i * 1000);
      buffer.putLong(0, sum.getValue() + i);
      sum.update((int) buffer.getLong(0));
    }
    return sum.getValue();
  }

  public static void main(String[] arguments) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(8);
    List<Future<Long>> results = new ArrayList<>();
    for (int i = 1; i <= 24; ++i) {
      final int seed = i;
      results.add(pool.submit(() -> one(seed)));
    }
    for (Future<Long> result : results) System.out.println(result.get());
    pool.shutdown();
    // The handler of SIGSEGV is how the JVM finds null; StackOverflowError how it finds the end of a stack.
    int caught = 0;
    for (int i = 0; i < 20000; ++i) {
      try {
        Object none = i >= 0 ? null : "x";
        none.hashCode();
      } catch (NullPointerException expected) {
        ++caught;
      }
    }
    System.out.println(caught);
    try {
      deeper(0);
    } catch (StackOverflowError expected) {
      System.out.println("deep");
    }
    Process child = new ProcessBuilder("/bin/sh", "-c", "echo child; exit 3").redirectErrorStream(true).start();
    System.out.print(new String(child.getInputStream().readAllBytes()));
    System.out.println(child.waitFor());
    Thread[] many = new Thread[100];
    for (int i = 0; i < many.length; ++i) (many[i] = new Thread(() -> one(3))).start();
    for (Thread thread : many) thread.join();
    for (int i = 0; i < 5; ++i) System.gc();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
    System.exit(8);
  }

  static int deeper(int depth) {
    return deeper(depth + 1) + 1;
  }
}
