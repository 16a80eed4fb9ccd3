// One morning over the API: import accounts, rank them, and print every queue's worklist.
//
//     java -cp CLASSES Morning 127.0.0.1:50051

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import com.google.type.Date;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.StreamObserver;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.collectionsopt.api.v1.*;

public final class Morning {
  static final long SECONDS = 60; // every call says how long it is ready to wait
  static final Metadata.Key<byte[]> DETAILS = Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  public static void main(String[] arguments) throws Exception {
    String address = arguments.length > 0 ? arguments[0] : "127.0.0.1:50051";
    ManagedChannel channel = NettyChannelBuilder.forTarget("dns:///" + address).usePlaintext().build();
    try {
      morning(channel);
    } finally {
      channel.shutdown().awaitTermination(SECONDS, TimeUnit.SECONDS);
    }
  }

  static void morning(ManagedChannel channel) throws Exception {
    Portfolio portfolio = imported(channel);
    System.out.printf("%d of %d accounts accepted%n", portfolio.getAcceptedCount(), portfolio.getRowCount());
    var rankings = RankingServiceGrpc.newBlockingStub(channel);
    var asked =
        CreateRankingRequest.newBuilder()
            .setRequestId(UUID.randomUUID().toString())
            .setPortfolioId("java-example")
            .setCapacityPlanId("credit-card-desk")
            .setOrdering(Ordering.ORDERING_EXPECTED_VALUE);
    String id = within(rankings).createRanking(asked.build()).getRanking().getRankingId();
    Ranking ranking = null;
    Iterator<WatchRankingResponse> states =
        within(rankings).watchRanking(WatchRankingRequest.newBuilder().setRankingId(id).build());
    while (states.hasNext()) ranking = states.next().getRanking();
    if (ranking == null || ranking.getState() != RankingState.RANKING_STATE_SUCCEEDED)
      throw new IllegalStateException("the ranking ended as " + (ranking == null ? "nothing" : ranking.getState()));
    System.out.printf(
        "%d worked for %d minor units%n",
        ranking.getCounts().getAssignedCount(), ranking.getQuality().getObjectiveMinorUnits());
    for (QueueUse queue : ranking.getQueuesList()) {
      var page = ListWorklistRequest.newBuilder().setRankingId(id).setQueueId(queue.getQueueId());
      for (WorklistEntry entry : within(rankings).listWorklist(page.build()).getEntriesList())
        System.out.printf(
            "%s %d. %s +%d%n",
            queue.getQueueId(), entry.getPriority(), entry.getAccountId(), entry.getIncrementMinorUnits());
    }
    var why = ExplainAssignmentRequest.newBuilder().setRankingId(id).setAccountId("J-3");
    System.out.println("J-3: " + within(rankings).explainAssignment(why.build()).getSentence());
    try {
      within(rankings).listWorklist(ListWorklistRequest.newBuilder().setRankingId(id).setQueueId("no-such-queue").build());
    } catch (StatusRuntimeException error) {
      System.out.println("refused: " + reasonOf(error));
    }
  }

  static RankingServiceGrpc.RankingServiceBlockingStub within(RankingServiceGrpc.RankingServiceBlockingStub stub) {
    return stub.withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
  }

  /** Return the reason of a refusal, the same word for the same cause in every version. */
  static String reasonOf(StatusRuntimeException error) throws InvalidProtocolBufferException {
    byte[] details = error.getTrailers() == null ? null : error.getTrailers().get(DETAILS);
    if (details == null) return error.getStatus().toString();
    for (var detail : Status.parseFrom(details).getDetailsList())
      if (detail.is(ErrorInfo.class)) return detail.unpack(ErrorInfo.class).getReason();
    return error.getStatus().toString();
  }

  static Portfolio imported(ManagedChannel channel) throws Exception {
    List<String> ids = List.of("J-1", "J-2", "J-3");
    var header =
        PortfolioHeader.newBuilder()
            .setPortfolioId("java-example")
            .setAsOfDate(Date.newBuilder().setYear(2026).setMonth(11).setDay(24))
            .setTimeZone("Asia/Taipei")
            .setCurrencyCode("TWD")
            .setRowCount(ids.size());
    var chunk =
        ColumnChunk.newBuilder()
            .setRowCount(ids.size())
            .addColumns(text("account_id", ids))
            .addColumns(text("product", List.of("CREDIT_CARD", "CREDIT_CARD", "CREDIT_CARD")))
            .addColumns(text("state", List.of("TW", "TW", "TW")))
            .addColumns(integers("balance_minor_units", List.of(9_000_000L, 2_500_000L, 400_000L)))
            .addColumns(integers("arrears_minor_units", List.of(900_000L, 250_000L, 40_000L)))
            .addColumns(integers("days_past_due", List.of(45L, 62L, 35L)))
            .addColumns(
                Column.newBuilder().setName("cease").setFlags(BoolColumn.newBuilder().addAllValues(List.of(false, false, true))));
    var answer = new CompletableFuture<Portfolio>();
    var observer =
        new StreamObserver<ImportPortfolioResponse>() {
          @Override
          public void onNext(ImportPortfolioResponse response) {
            answer.complete(response.getPortfolio());
          }

          @Override
          public void onError(Throwable error) {
            answer.completeExceptionally(error);
          }

          @Override
          public void onCompleted() {}
        };
    var stub = PortfolioServiceGrpc.newStub(channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
    StreamObserver<ImportPortfolioRequest> requests = stub.importPortfolio(observer);
    requests.onNext(ImportPortfolioRequest.newBuilder().setHeader(header).build());
    requests.onNext(ImportPortfolioRequest.newBuilder().setChunk(chunk).build());
    requests.onCompleted();
    return answer.get(SECONDS, TimeUnit.SECONDS);
  }

  static Column text(String name, List<String> values) {
    return Column.newBuilder().setName(name).setText(TextColumn.newBuilder().addAllValues(values)).build();
  }

  static Column integers(String name, List<Long> values) {
    return Column.newBuilder().setName(name).setIntegers(Int64Column.newBuilder().addAllValues(values)).build();
  }
}
