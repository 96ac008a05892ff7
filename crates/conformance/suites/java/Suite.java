// What the Java suites share: cases, deadlines, and the words to the runner (see src/main.rs).

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

final class Suite {
    static final String BOOTSTRAP = System.getenv("OUZEL_BOOTSTRAP");
    private static final PrintStream OUT = System.out;
    private static final BufferedReader ANSWERS = new BufferedReader(new InputStreamReader(System.in));
    private static final long CASE_SECONDS_MAX = 90;

    static final class Skip extends RuntimeException {
        Skip(String why) {
            super(why);
        }
    }

    interface Body {
        void run() throws Exception;
    }

    private final Set<String> only;

    Suite(String[] args) {
        only = Set.of(args);
    }

    /** Runs a case: it fails by an exception. */
    void check(String name, Body body) throws InterruptedException {
        if (!only.isEmpty() && !only.contains(name)) {
            return;
        }
        long began = System.nanoTime();
        FutureTask<Void> task = new FutureTask<>(() -> {
            body.run();
            return null;
        });
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        try {
            task.get(CASE_SECONDS_MAX, TimeUnit.SECONDS);
            OUT.printf("ok %s (%.1f s)%n", name, (System.nanoTime() - began) / 1e9);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof Skip skip) {
                OUT.printf("skip %s: %s%n", name, skip.getMessage());
            } else {
                failed.getCause().printStackTrace();
                String text = String.valueOf(failed.getCause()).replaceAll("\\s+", " ");
                OUT.printf("FAILED %s: %s%n", name, text.substring(0, Math.min(text.length(), 600)));
            }
        } catch (java.util.concurrent.TimeoutException late) {
            for (StackTraceElement frame : thread.getStackTrace()) {
                System.err.println("  at " + frame);
            }
            OUT.printf("FAILED %s: not done after %d s%n", name, CASE_SECONDS_MAX);
        }
        OUT.flush();
    }

    /** Has the broker killed and started again. */
    static void restart() throws Exception {
        OUT.println("@restart");
        OUT.flush();
        String answer = ANSWERS.readLine();
        if ("no".equals(answer)) {
            throw new Skip("the broker isn't ours to kill");
        }
        same("the runner", answer, "ok");
    }

    /** Calls {@code probe} until it holds. */
    static void until(String what, int seconds, Callable<Boolean> probe) throws Exception {
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        while (!probe.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("no " + what + " after " + seconds + " s");
            }
            Thread.sleep(5);
        }
    }

    static void same(String what, Object got, Object want) {
        if (!Objects.equals(got, want)) {
            throw new AssertionError(what + ": got " + got + ", want " + want);
        }
    }

    /** Each partition's records as read against those acknowledged; says what is amiss by its kind. */
    static void exactlyOnce(Map<Integer, List<Integer>> got, Map<Integer, List<Integer>> want) {
        want.forEach((partition, sent) -> {
            List<Integer> read = got.getOrDefault(partition, List.of());
            if (read.equals(sent)) {
                return;
            }
            Set<Integer> distinct = new HashSet<>(read);
            long lost = sent.stream().filter(value -> !distinct.contains(value)).count();
            boolean kept = read.equals(read.stream().sorted().toList());
            throw new AssertionError("partition " + partition + ": " + sent.size() + " acknowledged, " + read.size() + " read, "
                + lost + " lost, " + (read.size() - distinct.size()) + " duplicated, order " + (kept ? "kept" : "broken"));
        });
    }

    static List<Integer> range(int from, int to, int step) {
        List<Integer> numbers = new ArrayList<>();
        for (int number = from; number < to; number += step) {
            numbers.add(number);
        }
        return numbers;
    }
}
