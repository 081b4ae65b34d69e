// A modal dialog of the platform: it keeps the focus inside, closes by Escape, and gives the focus back.
import { useEffect, useId, useRef, type ReactNode } from "react";
import { Button } from "./Button";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onClose={onClose}
      className="m-auto max-h-[calc(100dvh-1.5rem)] w-[min(40rem,calc(100vw-1.5rem))] overflow-y-auto rounded-box border border-rule-strong/60 bg-paper p-4 text-ink shadow-float backdrop:bg-[rgb(0_0_0/35%)] sm:p-5"
    >
      <header className="mb-4 flex items-start justify-between gap-4">
        <h2 id={id} className="min-w-0 font-serif text-[1.125rem] leading-snug break-words">
          {title}
        </h2>
        <Button kind="bare" small className="-mt-0.5 -mr-1.5" onClick={onClose}>
          Close
        </Button>
      </header>
      {children}
    </dialog>
  );
}
