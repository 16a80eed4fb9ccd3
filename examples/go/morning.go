// One morning over the API: import accounts, rank them, and print every queue's worklist.
//
//	build/go/morning 127.0.0.1:50051
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	pb "collections_opt/api/v1"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

const portfolioID = "go-example"

// within returns a context with the deadline that every call needs: it says how long its caller is ready to wait.
func within() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	time.AfterFunc(time.Minute, cancel)
	return ctx
}

func main() {
	address := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	connection, err := grpc.Dial(address, grpc.WithInsecure()) // plaintext: on loopback alone
	check(err)
	defer connection.Close()

	portfolio := imported(pb.NewPortfolioServiceClient(connection))
	fmt.Printf("%d of %d accounts accepted\n", portfolio.GetAcceptedCount(), portfolio.GetRowCount())

	rankings := pb.NewRankingServiceClient(connection)
	ranking := ranked(rankings)
	fmt.Printf("%d worked for %d minor units\n",
		ranking.GetCounts().GetAssignedCount(), ranking.GetQuality().GetObjectiveMinorUnits())
	for _, queue := range ranking.GetQueues() {
		page, err := rankings.ListWorklist(within(),
			&pb.ListWorklistRequest{RankingId: ranking.GetRankingId(), QueueId: queue.GetQueueId()})
		check(err)
		for _, entry := range page.GetEntries() {
			fmt.Printf("%s %d. %s +%d\n",
				queue.GetQueueId(), entry.GetPriority(), entry.GetAccountId(), entry.GetIncrementMinorUnits())
		}
	}
	why, err := rankings.ExplainAssignment(within(),
		&pb.ExplainAssignmentRequest{RankingId: ranking.GetRankingId(), AccountId: "G-3"})
	check(err)
	fmt.Printf("G-3: %s\n", why.GetSentence())

	_, err = rankings.ListWorklist(within(),
		&pb.ListWorklistRequest{RankingId: ranking.GetRankingId(), QueueId: "no-such-queue"})
	fmt.Printf("refused: %s\n", reasonOf(err))
}

// ranked asks for a ranking by expected value and watches it until it has ended.
func ranked(rankings pb.RankingServiceClient) *pb.Ranking {
	made, err := rankings.CreateRanking(within(), &pb.CreateRankingRequest{
		RequestId:      "5f0c7f4e-6a1d-5d0a-9f0e-2f3a1b7c8d90", // the same for the same morning: sent again it is made once
		PortfolioId:    portfolioID,
		CapacityPlanId: "credit-card-desk",
		Ordering:       pb.Ordering_ORDERING_EXPECTED_VALUE,
	})
	check(err)
	states, err := rankings.WatchRanking(within(), &pb.WatchRankingRequest{RankingId: made.GetRanking().GetRankingId()})
	check(err)
	var ranking *pb.Ranking
	for {
		answer, err := states.Recv()
		if err == io.EOF {
			break
		}
		check(err)
		ranking = answer.GetRanking()
	}
	if ranking.GetState() != pb.RankingState_RANKING_STATE_SUCCEEDED {
		log.Fatalf("the ranking ended as %s", ranking.GetState())
	}
	return ranking
}

// imported sends a header, then columns, and returns what became of them.
func imported(portfolios pb.PortfolioServiceClient) *pb.Portfolio {
	ids := []string{"G-1", "G-2", "G-3"}
	stream, err := portfolios.ImportPortfolio(within())
	check(err)
	header := &pb.PortfolioHeader{
		PortfolioId:  portfolioID,
		AsOfDate:     &date.Date{Year: 2026, Month: 11, Day: 24},
		TimeZone:     "Asia/Taipei",
		CurrencyCode: "TWD",
		RowCount:     int32(len(ids)),
	}
	check(stream.Send(&pb.ImportPortfolioRequest{Content: &pb.ImportPortfolioRequest_Header{Header: header}}))
	chunk := &pb.ColumnChunk{
		RowCount: int32(len(ids)),
		Columns: []*pb.Column{
			text("account_id", ids...),
			text("product", "CREDIT_CARD", "CREDIT_CARD", "CREDIT_CARD"),
			text("state", "TW", "TW", "TW"),
			integers("balance_minor_units", 9000000, 2500000, 400000),
			integers("arrears_minor_units", 900000, 250000, 40000),
			integers("days_past_due", 45, 62, 35),
			{Name: "cease", Values: &pb.Column_Flags{Flags: &pb.BoolColumn{Values: []bool{false, false, true}}}},
		},
	}
	check(stream.Send(&pb.ImportPortfolioRequest{Content: &pb.ImportPortfolioRequest_Chunk{Chunk: chunk}}))
	answer, err := stream.CloseAndRecv()
	check(err)
	return answer.GetPortfolio()
}

func text(name string, values ...string) *pb.Column {
	return &pb.Column{Name: name, Values: &pb.Column_Text{Text: &pb.TextColumn{Values: values}}}
}

func integers(name string, values ...int64) *pb.Column {
	return &pb.Column{Name: name, Values: &pb.Column_Integers{Integers: &pb.Int64Column{Values: values}}}
}

// reasonOf returns the reason of a refusal, the same word for the same cause in every version, and what was not found.
func reasonOf(err error) string {
	reason, resource := status.Code(err).String(), ""
	for _, detail := range status.Convert(err).Details() {
		switch told := detail.(type) {
		case *errdetails.ErrorInfo:
			reason = told.GetReason()
		case *errdetails.ResourceInfo:
			resource = " of " + told.GetResourceType() + " " + told.GetResourceName()
		}
	}
	return reason + resource
}

func check(err error) {
	if err != nil {
		log.Fatalf("%s: %v", reasonOf(err), err)
	}
}
