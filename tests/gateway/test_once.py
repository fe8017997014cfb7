import threading

from gateway.once import Once


def test_work_is_done_once_however_often_it_is_asked_for() -> None:
    done: list[str] = []
    over = threading.Event()

    def work() -> None:
        done.append(threading.current_thread().name)
        over.set()

    once = Once("worker", work)
    askers = [threading.Thread(target=once.start) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert over.wait(10)
    assert done == ["worker"]
